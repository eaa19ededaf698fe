"""The dashboards as Grafana wants them: no schema of theirs is to be had outside of TypeScript."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy/monitoring/grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))
DASHBOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in FILES}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana's, those that are used: an unknown one shows a bare number.
UNITS = {"short", "s", "ops", "reqps", "bytes", "percentunit", "bool_yes_no"}
WIDTH = 24

each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)


def _panels(name: str) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = DASHBOARDS[name]["panels"]
    return panels


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[length] and other[start] < one[start] + one[length]
        for start, length in (("x", "w"), ("y", "h"))
    )


def test_uids_and_titles_are_each_dashboards_own() -> None:
    assert set(DASHBOARDS) == {"facequeue-operators", "facequeue-capacity", "facequeue-clients"}
    assert [board["uid"] for board in DASHBOARDS.values()] == list(DASHBOARDS)
    assert len({board["title"] for board in DASHBOARDS.values()}) == len(DASHBOARDS)


@each_dashboard
def test_whoever_looks_may_choose_the_datasource(name: str) -> None:
    variables = {item["name"]: item for item in DASHBOARDS[name]["templating"]["list"]}

    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for panel in _panels(name):
        assert panel["datasource"] == DATASOURCE
        assert all(target["datasource"] == DATASOURCE for target in panel["targets"])


@each_dashboard
def test_a_panel_has_an_id_a_title_a_unit_and_says_what_it_shows(name: str) -> None:
    panels = _panels(name)

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["description"].endswith((".", "?"))
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters)) != []


@each_dashboard
def test_panels_lie_within_the_grid_and_beside_each_other(name: str) -> None:
    places = [panel["gridPos"] for panel in _panels(name)]

    assert all(place["x"] + place["w"] <= WIDTH for place in places)
    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]


def test_grafana_is_given_a_datasource_and_the_folder() -> None:
    source = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/facequeue.yml").read_text())

    assert [item["type"] for item in source["datasources"]] == ["prometheus"]
    assert [item["type"] for item in provider["providers"]] == ["file"]
    guide = (FOLDER.parents[2] / "docs/monitoring.md").read_text()
    assert provider["providers"][0]["options"]["path"] in guide
