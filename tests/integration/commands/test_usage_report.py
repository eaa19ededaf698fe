from __future__ import annotations

import csv
import json
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask

from app.domain.identifiers import INSTALLATION
from app.services.jobs.erase_tenant import erase_tenant
from app.services.upkeep.roll_up_usage import roll_up_usage
from tests.factories.tenant_world import TenantWorld
from tests.factories.usage import add_note


def report(app: Flask, *arguments: object) -> Result:
    given = ("usage", "report", "--from", "2021-05-01", "--to", "2021-05-31", *arguments)
    return app.test_cli_runner().invoke(args=[str(argument) for argument in given])


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    """A tenant with usage on two days of May."""
    del app
    world = TenantWorld.create()
    add_note(world.tenant_id, "2021-05-01T12:00:00Z", images=2, faces=3, inference_ms=1250)
    add_note(world.tenant_id, "2021-05-31T12:00:00Z", images=4, outcome="failed")
    add_note(world.tenant_id, "2021-06-01T12:00:00Z", images=8)
    roll_up_usage()
    return world


def test_a_tenants_usage_is_summed_up_in_a_line(app: Flask, world: TenantWorld) -> None:
    result = report(app, "--tenant", world.tenant_id)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{world.tenant_id}\t6\t3\t1.25\t0\n"


def test_it_is_told_apart_by_what_is_asked(app: Flask, world: TenantWorld) -> None:
    groups = ("--group-by", "outcome", "--group-by", "month")

    lines = report(app, "--tenant", world.tenant_id, *groups).stdout.splitlines()

    assert [line.split("\t")[1:4] for line in lines] == [
        ["2021-05-01", "succeeded", "2"],
        ["2021-05-01", "failed", "4"],
    ]


def test_csv_has_a_line_of_names(app: Flask, world: TenantWorld) -> None:
    result = report(app, "--tenant", world.tenant_id, "--csv", "--group-by", "day")

    assert next(iter(csv.DictReader(result.stdout.splitlines()))) == {
        "tenant_id": str(world.tenant_id),
        "day": "2021-05-01",
        "images": "2",
        "faces": "3",
        "inference_seconds": "1.25",
        "webhooks": "0",
    }


def test_json_has_all_tenants_and_says_what_was_asked(app: Flask, world: TenantWorld) -> None:
    other = TenantWorld.create()
    add_note(other.tenant_id, "2021-05-02T12:00:00Z")
    roll_up_usage()
    add_note(world.tenant_id, "2021-05-02T12:00:00Z")  # waits

    answer = json.loads(report(app, "--json").stdout)

    images = {row["tenant_id"]: row["images"] for row in answer["data"]}
    assert images[str(world.tenant_id)] == 6
    assert images[str(other.tenant_id)] == 1
    assert (answer["from"], answer["to"]) == ("2021-05-01", "2021-05-31")
    assert answer["waiting_since"] is not None


def test_what_waits_is_told_beside_the_table(app: Flask, world: TenantWorld) -> None:
    add_note(world.tenant_id, "2021-05-02T12:00:00Z")

    result = report(app, "--tenant", world.tenant_id)

    assert result.stderr == "waiting to be counted since 2021-05-02T12:00:00+00:00\n"


def test_what_erased_tenants_have_used_can_be_asked_for(app: Flask, world: TenantWorld) -> None:
    erase_tenant(world.tenant_id)

    (line,) = report(app, "--tenant", INSTALLATION).stdout.splitlines()

    assert int(line.split("\t")[1]) >= 6
    assert report(app, "--tenant", world.tenant_id).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--tenant", uuid4()), 1, "There is no tenant"),
        (("--tenant", "x"), 2, "is not a valid UUID"),
        (("--json", "--csv"), 2, "exclude each other"),
        (("--to", "2021-04-30"), 2, "to: it is before `from`"),
        (("--to", "2029-04-30"), 2, "731 days at most"),
        (("--to", "May"), 2, "does not match the format"),
        (("--group-by", "hour"), 2, "is not one of"),
        (("--group-by", "day", "--group-by", "month"), 2, "not both"),
    ],
)
def test_a_report_that_cannot_be_made_is_one_clear_line(
    app: Flask, arguments: tuple[object, ...], code: int, complaint: str
) -> None:
    result = report(app, *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert complaint in result.stderr
