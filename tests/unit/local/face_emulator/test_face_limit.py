"""The limit of requests per second."""

import pytest

from local.face_emulator.limit import TokenBucket


def test_without_a_limit_all_pass() -> None:
    bucket = TokenBucket(None)
    assert [bucket.take(0.0) for _ in range(1000)] == [0.0] * 1000


def test_a_pause_lets_a_second_of_requests_pass_at_once() -> None:
    bucket = TokenBucket(10)
    assert sum(bucket.take(100.0) == 0 for _ in range(50)) == 10
    assert sum(bucket.take(200.0) == 0 for _ in range(50)) == 10


def test_the_rate_is_kept_over_time() -> None:
    bucket = TokenBucket(10)
    passed = sum(bucket.take(millisecond / 1000) == 0 for millisecond in range(10_000))
    assert passed == pytest.approx(110, abs=1)


def test_a_throttled_request_learns_when_the_next_may_come() -> None:
    bucket = TokenBucket(0.5)
    assert bucket.take(0.0) == 0
    wait = bucket.take(0.5)
    assert wait == pytest.approx(1.5)
    assert bucket.take(0.5 + wait + 0.001) == 0
