"""Whatever the storage holds and whoever sends, the others are served, the next step goes on, and no log quotes it."""

import pytest

from tests.hostile.limited import check_limited

pytestmark = pytest.mark.timeout(200)


def test_rows_that_somebody_else_has_written() -> None:
    check_limited("tests.hostile.row_cases")


def test_blobs_that_somebody_else_has_written() -> None:
    check_limited("tests.hostile.blob_cases")


def test_responses_whose_every_field_is_secret() -> None:
    check_limited("tests.hostile.service_cases")


def test_senders_that_mean_no_good() -> None:
    check_limited("tests.hostile.sender_cases")
