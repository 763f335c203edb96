"""The page for operators and the alerts tell of each other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
ALERTS = re.findall(
    r"^    title: '(.+)'\n    text: '.+'\n    severity: (\d)$",
    (ROOT / "infra/alerts.bicep").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    alerts = OPERATING.partition("\n## The alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)\n\n\*Severity (\d)\.\*", alerts, re.MULTILINE) == ALERTS
    assert len(re.findall(r"^### ", alerts, re.MULTILINE)) == len(ALERTS)


def test_an_operator_finds_the_work_that_comes_up() -> None:
    headings = re.findall(r"^## (.+)$", OPERATING, re.MULTILINE)
    assert {"The alerts", "Upgrade", "Rotate", "Restore", "Remove"} <= set(headings)
