"""The sums in docs/deploying.md are what their arithmetic comes to."""

import ast
import operator
import re
from pathlib import Path

import pytest

DEPLOYING = (Path(__file__).parents[2] / "docs/deploying.md").read_text(encoding="utf-8")
OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value(arithmetic: str) -> float:
    """Return what sums, products and quotients of numbers come to."""
    text = arithmetic.replace(",", "").replace("\N{MULTIPLICATION SIGN}", "*").replace("÷", "/")

    def reckon(node: ast.expr) -> float:
        match node:
            case ast.BinOp(left, operation, right):
                return float(OPERATORS[type(operation)](reckon(left), reckon(right)))
            case ast.Constant(float() | int() as number):
                return float(number)
            case _:
                raise ValueError(f"found {ast.unparse(node)!r}, expected arithmetic")

    return reckon(ast.parse(text, mode="eval").body)


def tables() -> list[tuple[list[tuple[str, float]], float]]:
    """Return the lines of each table, and its sum."""
    parts = re.split(r"^\| \*\*sum\*\* \| \| \*\*([\d.]+)\*\* \|$", DEPLOYING, flags=re.MULTILINE)
    rows = [re.findall(r"^\|[^|]+\| ([\d(][^|]*) \| ([\d.]+) \|$", part, re.MULTILINE) for part in parts[:-1:2]]
    return [
        ([(sum_, float(cost)) for sum_, cost in lines], float(total))
        for lines, total in zip(rows, parts[1::2], strict=True)
    ]


@pytest.mark.parametrize(("arithmetic", "cost"), [line for lines, _ in tables() for line in lines])
def test_a_line_is_its_arithmetic(arithmetic: str, cost: float) -> None:
    half_a_digit = 0.5 * 10 ** -len(str(cost).partition(".")[2])
    assert value(arithmetic) == pytest.approx(cost, abs=half_a_digit)


def test_each_sum_is_that_of_its_lines() -> None:
    assert [len(lines) for lines, _ in tables()] == [8, 5, 5]
    for lines, total in tables():
        assert sum(cost for _, cost in lines) == pytest.approx(total, abs=0.001)


def test_the_alerts_are_counted_as_they_are_deployed() -> None:
    bicep = (Path(__file__).parents[2] / "infra/alerts.bicep").read_text(encoding="utf-8")
    every = re.findall(r"^    every: '(\w+)'$", bicep, re.MULTILINE)
    often = every.count("PT5M")
    times = "\N{MULTIPLICATION SIGN}"
    assert f"| {often} {times} 1.50 + {len(every) - often} {times} 0.50 |" in DEPLOYING
