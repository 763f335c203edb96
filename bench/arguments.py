"""The arguments that the benches share."""

import argparse
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def bench_parser(
    name: str, description: str | None, *, draws: bool = False, seeded: bool = False
) -> argparse.ArgumentParser:
    """Return the parser of a bench: one that draws has a picture in ``docs``, one that is seeded draws lots."""
    parser = argparse.ArgumentParser(prog=f"script/bench {name}", description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    if draws:
        picture = DOCS / f"{name}.svg"
        parser.add_argument("--picture", type=Path, default=picture, metavar="FILE", help="where to draw them (SVG)")
    if seeded:
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw other lots")
    return parser
