"""Whatever the Face service sends, a call ends in time, in little memory, with an error that quotes nothing of it."""

import subprocess
import sys
from contextlib import ExitStack

import msgspec
import pytest

from tests.hostile.calls import GROUP, KEY, Plan, Report
from tests.hostile.cases import CASES, SECRET, TRAINING, Case
from tests.support.scripted_server import Response, http, scripted_server

SLACK_SECONDS = 5.0
GOOD: dict[str, Response] = {"training": http(200, TRAINING), "start_training": http(202), "groups": http(200, b"[]")}
CALLS = [(case, operation) for case in CASES for operation in case.operations]

pytestmark = [pytest.mark.timeout(400), pytest.mark.skipif(sys.platform != "linux", reason="limits memory by /proc")]


def name_of(case: Case, operation: str) -> str:
    return f"{operation}: {case.name}"


@pytest.fixture(scope="module")
def process() -> tuple[dict[str, Report], str]:
    """Make all calls in one process of little memory; return their reports, and what it logged."""
    with ExitStack() as servers:
        plans = [
            Plan(
                name=name_of(case, operation),
                endpoint=servers.enter_context(scripted_server(case.response, GOOD[operation])).endpoint,
                operation=operation,
                seconds=case.seconds,
            )
            for case, operation in CALLS
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile.calls"],
            input=msgspec.json.encode(plans),
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    reports = [msgspec.json.decode(line, type=Report) for line in done.stdout.splitlines()]
    return {report.name: report for report in reports}, done.stderr.decode()


@pytest.mark.parametrize(("case", "operation"), CALLS, ids=[name_of(*call) for call in CALLS])
def test_a_hostile_response(process: tuple[dict[str, Report], str], case: Case, operation: str) -> None:
    report = process[0][name_of(case, operation)]
    assert report.error in case.errors
    assert report.seconds < case.seconds + SLACK_SECONDS
    assert report.then is None, "the next call to a service that behaves again succeeds"
    for secret in (SECRET, KEY, GROUP):
        assert secret not in report.words


def test_nothing_of_it_is_logged(process: tuple[dict[str, Report], str]) -> None:
    for secret in (SECRET, KEY, GROUP):
        assert secret not in process[1]
