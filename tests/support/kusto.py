"""Analyse and run Kusto queries without Azure."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql

from local.azurite import find_node

ROOT = Path(__file__).parents[2]
# The columns that the queries may use: https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
SCHEMAS = {
    "AppTraces": "(TimeGenerated: datetime, Message: string, Properties: dynamic)",
    "AppMetrics": "(TimeGenerated: datetime, Name: string, Sum: real, Properties: dynamic)",
    "AppRequests": "(TimeGenerated: datetime, Name: string, Success: bool, DurationMs: real, ItemCount: int)",
}


@dataclass(frozen=True)
class Row:
    """One row of ``AppTraces``; of ``AppRequests`` where ``function`` is set, of ``AppMetrics`` where ``metric`` is."""

    message: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)  # all are text there
    function: str = ""
    metric: str = ""
    value: float = 0.0  # of the metric
    age: timedelta = timedelta(0)  # when the query runs


def analyse(queries: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what Microsoft's own language service says against each query."""
    done = subprocess.run(  # noqa: S603 - Node
        [find_node(), Path(__file__).with_suffix(".js")],
        input=json.dumps({"tables": SCHEMAS, "queries": {name: filled(text) for name, text in queries.items()}}),
        env={**os.environ, "NODE_PATH": str(ROOT / "node_modules")},
        capture_output=True,
        text=True,
        check=True,
    )
    complaints: dict[str, list[str]] = json.loads(done.stdout)
    return complaints


def run(query: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return what a query comes to on some rows."""
    with duckdb.connect() as database:
        database.execute("CREATE TABLE AppTraces (TimeGenerated TIMESTAMP, Message VARCHAR, Properties JSON)")
        database.execute(
            "CREATE TABLE AppRequests"
            " (TimeGenerated TIMESTAMP, Name VARCHAR, Success BOOLEAN, DurationMs DOUBLE, ItemCount INTEGER)"
        )
        database.execute("CREATE TABLE AppMetrics (TimeGenerated TIMESTAMP, Name VARCHAR, Sum DOUBLE, Properties JSON)")
        now = datetime.now(UTC).replace(tzinfo=None)
        for row in rows:
            at = now - row.age
            if row.function:
                database.execute("INSERT INTO AppRequests VALUES (?, ?, true, 12.5, 1)", [at, row.function])
            elif row.metric:
                values = [at, row.metric, row.value, json.dumps(dict(row.properties))]
                database.execute("INSERT INTO AppMetrics VALUES (?, ?, ?, ?)", values)
            else:
                values = [at, row.message, json.dumps(dict(row.properties))]
                database.execute("INSERT INTO AppTraces VALUES (?, ?, ?)", values)
        # The translator knows members of dynamic values in brackets alone, and draws nothing.
        text = re.sub(r"Properties\.(\w+)", r"Properties['\1']", filled(query))
        result = duckdb_kql.kql(database, re.sub(r"^\| render .*$", "", text, flags=re.MULTILINE))
        return [dict(zip(result.columns, values, strict=True)) for values in result.fetchall()]


def filled(query: str) -> str:
    """Return a query with what a workbook fills in."""
    return query.replace("{TimeRange:grain}", "1h")
