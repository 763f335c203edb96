"""Measure what importing the app costs beside its library alone: `script/bench start [--json FILE]`."""

import json
import os
import subprocess
import sys

from bench.arguments import bench_parser

ROUNDS = 15
MAX_RATIO = 1.6
MODULES = ("azure.functions", "function_app")
ENVIRONMENT = {
    "FACE_ENDPOINT": "https://example.cognitiveservices.azure.com",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DataStorage": "UseDevelopmentStorage=true",
}


def main() -> int:
    """Import both in turn in fresh processes, print the least CPU of each, and return 1 where the goal is missed."""
    arguments = bench_parser("start", __doc__).parse_args()
    rounds = [{module: _seconds(module) for module in MODULES} for _ in range(ROUNDS)]
    least = {module: min(each[module] for each in rounds) for module in MODULES}
    ratio = least["function_app"] / least["azure.functions"]
    figures = json.dumps({"cpu_seconds": least, "ratio": round(ratio, 3), "goal": MAX_RATIO}, indent=2)
    if arguments.json:
        arguments.json.write_text(figures + "\n")
    print(figures)
    return 1 if ratio > MAX_RATIO else 0


def _seconds(module: str) -> float:
    """Return the CPU seconds of an import in a fresh process."""
    program = f"import time; began = time.process_time(); import {module}; print(time.process_time() - began)"
    command = [sys.executable, "-c", program]
    environment = {**os.environ, **ENVIRONMENT}
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
