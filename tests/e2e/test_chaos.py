"""Each request gets its one true event, though the service fails, the host is killed, and the queue is purged."""

import pytest

from bench.chaos.run import run

MAX_SECONDS = 420
"""What a purge or a kill takes from the queue is taken up two minutes later."""


@pytest.mark.timeout(MAX_SECONDS)
def test_no_request_is_lost_or_told_wrong_in_chaos() -> None:
    result = run(24, print, short=True)
    assert result.verdict.holds, result
    assert result.kills == 3
    assert result.purged > 0
