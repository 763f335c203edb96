"""Ask Azure by its command line, with the login of whoever deploys."""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

SECONDS = 120

type Ask = Callable[..., Any]
"""Takes the arguments of ``az`` and returns its JSON."""


class CannotAsk(Exception):
    """``az`` is missing, nobody is logged in, or Azure refused the question."""


def ask(*arguments: str) -> Any:
    """Return what ``az`` says, as JSON.

    Raises:
        CannotAsk: if ``az`` fails or takes too long.
    """
    program = shutil.which("az")
    if program is None:
        raise CannotAsk(
            "found no az on PATH: install the Azure CLI, https://aka.ms/install-azure-cli, and run: az login"
        )
    command = [program, *arguments, "--only-show-errors", "--output", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603 - az
    except subprocess.TimeoutExpired:
        raise CannotAsk(f"'az {arguments[0]}' did not answer within {SECONDS} seconds") from None
    if done.returncode:
        raise CannotAsk((done.stderr.strip().splitlines() or ["az failed without a word"])[-1])
    return json.loads(done.stdout) if done.stdout.strip() else None
