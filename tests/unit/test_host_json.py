"""What the code and the settings repeat of ``host.json`` is what stands there."""

import json
from pathlib import Path
from typing import Any

from shared.training.messages import MAX_DEQUEUE_COUNT

ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def test_the_code_knows_how_often_the_host_tries() -> None:
    assert read("host.json")["extensions"]["queues"]["maxDequeueCount"] == MAX_DEQUEUE_COUNT


def test_each_message_that_is_handled_at_once_has_a_thread() -> None:
    queues = read("host.json")["extensions"]["queues"]
    threads = int(read("local.settings.sample.json")["Values"]["PYTHON_THREADPOOL_THREAD_COUNT"])
    assert threads >= queues["batchSize"] + queues["newBatchThreshold"]


def test_bodies_reach_the_code_as_they_were_sent() -> None:
    assert read("host.json")["extensions"]["queues"]["messageEncoding"] == "none"
