"""The app's modules as a new process has them, with nothing built yet."""

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def load_module(name: str) -> ModuleType:
    """Load one of the app's modules anew, beside the one that this process may have."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name.replace('.', '/')}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def fresh_wiring() -> Iterator[ModuleType]:
    """Load the wiring anew, and leave the loggers that it sets as they were."""
    levels = {name: logging.getLogger(name).level for name in ("azure", "urllib3")}
    try:
        yield load_module("shared.wiring")
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
