from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stack.state import ROOT
from tests.deploy.alert_cases import CASES, Series
from tests.deploy.programs import needs

FOLDER = ROOT / "deploy/monitoring"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alert_rules.yml").read_text())["groups"]
    for rule in group["rules"]
}
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def _run(*command: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - programs of the distribution
        command, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _count_at(alert: str, series: Series, at: int, firing: int) -> dict[str, Any]:
    """One of promtool's tests: how many alerts of a name fire."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                "eval_time": f"{at}m",
                "exp_samples": [{"labels": "{}", "value": firing}],
            }
        ],
    }


@needs("promtool")
@pytest.mark.parametrize("alert", CASES)
def test_the_alert_fires_when_it_should_and_only_then(alert: str, tmp_path: Path) -> None:
    case = CASES[alert]
    tests = [
        _count_at(alert, case.fires, case.at, 1),
        _count_at(alert, case.quiet, case.at, 0),
    ]
    written = {"rule_files": [str(FOLDER / "alert_rules.yml")], "tests": tests}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(written))

    _run("promtool", "test", "rules", tmp_path / "tests.yml")


def test_every_alert_is_tried() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    page, _, section = rule["annotations"]["runbook_url"].partition("#")
    sections = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    }

    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert page == "docs/runbook.md"
    assert section in sections


def test_the_runbook_has_no_section_that_no_alert_leads_to() -> None:
    named = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in RULES.values()}
    assert len(re.findall(r"^## ", RUNBOOK, re.MULTILINE)) == len(named)


@needs("promtool")
def test_prometheus_takes_its_configuration() -> None:
    _run("promtool", "check", "config", FOLDER / "prometheus.yml")


@needs("amtool")
def test_alertmanager_takes_its_configuration() -> None:
    _run("amtool", "check-config", FOLDER / "alertmanager.yml")


@needs("prometheus-blackbox-exporter")
def test_the_blackbox_exporter_takes_its_configuration() -> None:
    configuration = f"--config.file={FOLDER / 'blackbox.yml'}"
    _run("prometheus-blackbox-exporter", configuration, "--config.check")
