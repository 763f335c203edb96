"""Real processes that share a budget, on Azurite and an emulator that keeps the service's limit."""

import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.budget.stage import LIMIT
from local.azurite import start_azurite
from local.face_emulator.process import start_face_emulator
from shared.settings import ConnectionString
from shared.storage import connect

THREADS = 4
START_SECONDS = 10.0
"""Processes that start at once on a small machine have all begun after so long."""
_CALLER = Path(__file__).with_name("caller.py")
_ROOT = Path(__file__).parents[2]


class Result(msgspec.Struct, frozen=True):
    """What so many processes came to."""

    throttled_share: float
    used_share: float  # of FACE_MAX_TPS


def run(processes: int, seconds: float) -> Result:
    """Have so many processes make all the calls that they may for so many seconds."""
    with start_azurite() as azurite, start_face_emulator(requests_per_second=LIMIT) as emulator:
        connect(ConnectionString(azurite.connection_string)).make_missing()
        emulator.control.group("largePersonGroup", "group", train=True)
        begin = time.time() + START_SECONDS
        where = [azurite.connection_string, emulator.endpoint, emulator.key]
        how = [str(number) for number in (LIMIT, THREADS, begin, begin + seconds)]
        command = [sys.executable, str(_CALLER), *where, *how]
        running = [
            subprocess.Popen(command, cwd=_ROOT, env={"PYTHONPATH": str(_ROOT)}, stdout=subprocess.PIPE)
            for _ in range(processes)
        ]
        figures = [json.loads(process.communicate()[0]) for process in running]
    calls = sum(figure["calls"] for figure in figures)
    # Each thread still makes the call whose slot it had when the time was over.
    used = (calls - processes * THREADS) / seconds / LIMIT
    return Result(sum(figure["throttled"] for figure in figures) / calls, used)
