"""What fuzzing has found, and what reaches most of the code that reads outside input, is read again each time."""

import pytest

from bench.fuzz.corpus import read_kept
from bench.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_all_that_was_kept_is_read_rightly(target: str) -> None:
    kept = read_kept(target)
    assert kept
    for data in kept:
        TARGETS[target](data)
