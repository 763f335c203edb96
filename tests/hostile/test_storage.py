"""Whatever the storage holds, all others are served, the next step or run goes on, and the log quotes nothing."""

import pytest

from tests.hostile.limited import check_limited

pytestmark = pytest.mark.timeout(200)


def test_rows_that_somebody_else_has_written() -> None:
    check_limited("tests.hostile.row_cases")
