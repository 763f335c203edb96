"""The lint step finds what it is for, and the hooks before a commit are the same checks."""

import re
from pathlib import Path

import pytest

from script.words import findings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "line",
    [
        "The time between two looks.",
        "the service answers 429",
        'tostring(Properties.answer) == "Throttled"',
        "The service refuses with a 429.",
        "supersededBy names the newer request.",
        "logger = logging.getLogger(__name__)",
        "MOST_POISONINGS = 3",
        "allowed is a name of lower-case letters",
    ],
)
def test_a_retired_word_is_found(line: str) -> None:
    assert findings(line)


@pytest.mark.parametrize(
    "line",
    [
        "look_after_watches looks after overdue watches",
        "One poll answers everybody who waits.",
        "401 and 403 mean that the service refuses the app.",
        "The blob's tag superseded ends its retention.",
        "log = logging.getLogger(__name__)",
        "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'shared'",
        "The most that an instance takes.",
        "Trainings may be started where that is allowed.",
    ],
)
def test_ordinary_english_is_left_alone(line: str) -> None:
    assert findings(line) == []


def test_the_hooks_are_the_checks_of_the_lint_step() -> None:
    (checks,) = re.findall(r"^checks=\((.*)\)$", (ROOT / "script/lint").read_text(encoding="utf-8"), re.MULTILINE)
    hooks = re.findall(r"id: (\S+), .*entry: script/lint (\S+),", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [name for name, _ in hooks] == [check for _, check in hooks] == checks.split()


def test_scripts_keep_their_line_ends() -> None:
    for script in (ROOT / "script").iterdir():
        if script.is_file():
            assert b"\r" not in script.read_bytes(), script.name
