"""Fuzz one target: ``python -m bench.fuzz.one TARGET [libFuzzer's arguments]``."""

import sys

import atheris

with atheris.instrument_imports(include=["shared"]):
    from bench.fuzz.targets import TARGETS

atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
