"""The README tells of what there is."""

import json
import re
from pathlib import Path

from shared.settings import load_settings
from shared.training.record import Outcome

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return the text under a heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """Return what stands in backticks in the first column of a table."""
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_every_setting_is_in_the_table() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    of_the_host = {"FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT"}
    assert set(first_cells(section("Settings"))) == sample.keys() - of_the_host


def test_the_defaults_in_the_table_are_the_apps() -> None:
    stated = {}
    for names, default in re.findall(r"^\| (`[^|]*) \|.*\| (`[^|]*) \|$", section("Settings"), re.MULTILINE):
        values = re.findall(r"`([^`]+)`", default)
        for number, name in enumerate(re.findall(r"`([^`]+)`", names)):
            stated[name] = values[min(number, len(values) - 1)]
    required = {
        "FACE_ENDPOINT": "https://faces.cognitiveservices.azure.com",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "DataStorage": "UseDevelopmentStorage=true",
    }
    assert len(stated) == 17
    assert load_settings({**required, **stated}) == load_settings(required)


def test_every_outcome_is_in_the_table() -> None:
    assert set(first_cells(section("The results"))) == set(Outcome)


def test_every_link_into_the_project_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
