from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from click.testing import Result
from flask import Flask

from app.database.transactions import owner_transaction
from app.domain.names import Scope
from app.domain.request_errors import AddressNotAllowed, Unauthenticated
from app.models.tenant import Tenant
from app.services.jobs.read_jobs import read_job
from app.services.tenancy.authentication import authenticate
from tests.factories.jobs import PLACE, close_item, make_job
from tests.factories.tenants import make_tenant


def _run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


def test_making_a_tenant_prints_its_id_alone(app: Flask) -> None:
    name = f"tenant {uuid4()}"
    result = _run(app, "tenants", "create", name, "--contact", "ops@example.org")
    assert result.exit_code == 0
    with owner_transaction() as session:
        tenant = session.get_one(Tenant, UUID(result.stdout.strip()))
    assert (tenant.name, tenant.contact_email) == (name, "ops@example.org")
    assert name in _run(app, "tenants", "list").stdout


def test_a_taken_name_is_one_clear_line(app: Flask) -> None:
    tenant = make_tenant()
    result = _run(app, "tenants", "create", tenant.name)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: There is a tenant {tenant.name!r} already\n"


def test_a_tenants_name_is_taken_however_it_was_typed(app: Flask) -> None:
    tenant = make_tenant(name=f"Jos\u00e9 {uuid4()}")
    typed_on_a_mac = tenant.name.replace("\u00e9", "e\u0301")
    assert _run(app, "tenants", "create", typed_on_a_mac).exit_code == 1


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_name_that_no_tenant_may_have_is_one_clear_line(app: Flask, name: str) -> None:
    result = _run(app, "tenants", "create", name)
    assert result.exit_code == 2
    assert "1 to 200 characters" in result.stderr


def test_making_a_key_prints_a_key_that_works(app: Flask) -> None:
    tenant = make_tenant()
    result = _run(
        app,
        "api-keys",
        "create",
        "--tenant",
        tenant.id,
        "--name",
        "n",
        "--scopes",
        "jobs:read,jobs:write",
        "--expires-days",
        1,
    )
    assert result.exit_code == 0
    principal = authenticate(result.stdout.strip())
    assert principal.tenant_id == tenant.id
    assert principal.scopes == {Scope.JOBS_READ, Scope.JOBS_WRITE}


@pytest.mark.parametrize(
    ("option", "ends"), [((), True), (("--expires-days", 3), True), (("--never-expires",), False)]
)
def test_a_key_ends_by_itself_unless_the_operator_says_never(
    app: Flask, option: tuple[object, ...], ends: bool
) -> None:
    options = ("--tenant", make_tenant().id, "--name", "n", "--scopes", "admin")
    key = _run(app, "api-keys", "create", *options, *option).stdout.strip()
    assert (authenticate(key).expires_at is not None) is ends


def test_a_key_that_ends_never_and_after_some_days_is_refused(app: Flask) -> None:
    options = ("--tenant", make_tenant().id, "--name", "n", "--scopes", "admin")
    both = _run(app, "api-keys", "create", *options, "--expires-days", 3, "--never-expires")
    assert (both.exit_code, both.stdout) == (2, "")
    assert "exclude each other" in both.stderr


def test_a_key_may_be_made_for_some_networks_alone(app: Flask) -> None:
    options = ("--tenant", make_tenant().id)
    wanted = ("--name", "n", "--scopes", "admin", "--allow-from", "203.0.113.0/24")
    key = _run(app, "api-keys", "create", *options, *wanted, "--allow-from", "192.0.2.1").stdout
    assert authenticate(key.strip(), "192.0.2.1").addresses == ("203.0.113.0/24", "192.0.2.1/32")
    with pytest.raises(AddressNotAllowed):
        authenticate(key.strip(), "198.51.100.1")
    listed = _run(app, "api-keys", "list", *options).stdout.strip()
    assert listed.split("\t")[-1] == "203.0.113.0/24,192.0.2.1/32"


def test_a_network_that_is_none_is_one_clear_line(app: Flask) -> None:
    wanted = ("--tenant", make_tenant().id, "--name", "n", "--scopes", "admin")
    result = _run(app, "api-keys", "create", *wanted, "--allow-from", "203.0.113.9/24")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "has host bits set; give an address or a CIDR" in result.stderr


def test_a_key_is_listed_without_its_secret_and_can_be_revoked(app: Flask) -> None:
    tenant = make_tenant()
    options = ("--tenant", tenant.id)
    key = _run(app, "api-keys", "create", *options, "--name", "n", "--scopes", "admin").stdout
    listed = _run(app, "api-keys", "list", *options).stdout
    assert key.strip() not in listed
    key_id = listed.split("\t")[0]
    assert _run(app, "api-keys", "revoke", *options, key_id).exit_code == 0
    with pytest.raises(Unauthenticated):
        authenticate(key.strip())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--tenant", uuid4(), "--scopes", "admin"), "There is no tenant"),
        (("--tenant", "x", "--scopes", "admin"), "is not a valid UUID"),
        (("--tenant", uuid4(), "--scopes", "rule"), "choose from jobs:read"),
        (("--tenant", uuid4(), "--scopes", ","), "choose from jobs:read"),
    ],
)
def test_a_key_that_cannot_be_made_is_one_clear_line(
    app: Flask, arguments: tuple[object, ...], complaint: str
) -> None:
    result = _run(app, "api-keys", "create", "--name", "n", *arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert complaint in result.stderr


def _limits(app: Flask, *arguments: object) -> dict[str, list[str]]:
    result = _run(app, "tenants", "limits", *arguments)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    return {name: cells for name, *cells in rows}


def test_limits_of_a_tenant_are_set_shown_and_taken_back(app: Flask) -> None:
    tenant = make_tenant().id
    default = str(app.config["SETTINGS"].max_jobs_in_flight)
    assert _limits(app, tenant)["jobs_in_flight"] == [default, "default", "0"]
    options = ("--jobs-in-flight", 7, "--storage-bytes", 8)
    _limits(app, tenant, *options)
    shown = _limits(app, tenant, "--requests-per-minute", 9)
    assert shown["jobs_in_flight"] == ["7", "own", "0"]
    assert shown["storage_bytes"] == ["8", "own", "0"]
    assert shown["requests_per_minute"] == ["9", "own", "-"]
    assert shown["items_waiting"][1] == "default"
    back = _limits(app, tenant, "--default", "jobs_in_flight", "--default", "storage_bytes")
    assert back["jobs_in_flight"] == [default, "default", "0"]
    assert [back[name][1] for name in ("storage_bytes", "requests_per_minute")] == [
        "default",
        "own",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 1, "There is no tenant"),
        (("--jobs-in-flight", 5), 1, "There is no tenant"),
        (("--jobs-in-flight", 0), 2, "1<=x"),
        (("--default", "faces"), 2, "is not one of"),
        (("--jobs-in-flight", 5, "--default", "jobs_in_flight"), 2, "a value and its default"),
    ],
)
def test_a_limit_that_cannot_be_set_is_one_clear_line(
    app: Flask, arguments: tuple[object, ...], code: int, complaint: str
) -> None:
    result = _run(app, "tenants", "limits", uuid4(), *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert complaint in result.stderr


def test_buckets_are_allowed_listed_and_denied(app: Flask) -> None:
    options = ("--tenant", make_tenant().id)
    for place in ("s3://photos", "s3://other/prefix", "s3://photos"):
        assert _run(app, "buckets", "allow", *options, place).exit_code == 0
    assert _run(app, "buckets", "list", *options).stdout == "s3://other/prefix\ns3://photos/\n"
    assert _run(app, "buckets", "deny", *options, "s3://photos").exit_code == 0
    assert _run(app, "buckets", "list", *options).stdout == "s3://other/prefix\n"
    again = _run(app, "buckets", "deny", *options, "s3://photos")
    assert (again.exit_code, "is not registered" in again.stderr) == (1, True)


def test_a_place_that_is_no_s3_uri_is_refused(app: Flask) -> None:
    result = _run(app, "buckets", "allow", "--tenant", make_tenant().id, "photos/a")
    assert result.exit_code == 2
    assert "s3://bucket/key" in result.stderr


def _ended(tenant_id: UUID, *codes: str) -> UUID:
    job_id = make_job(tenant_id, items=len(codes))
    for seq, code in enumerate(codes):
        close_item(job_id, seq, error=code)
    return job_id


@pytest.mark.usefixtures("nobody_works")
@pytest.mark.parametrize(
    ("options", "count"),
    [((), 3), (("--code", "no_face"), 1), (("--code", "no_face", "--code", "not_live"), 2)],
)
def test_failed_items_of_anybodys_job_are_redriven_and_the_new_id_is_printed(
    app: Flask, options: tuple[str, ...], count: int
) -> None:
    tenant_id = make_tenant(PLACE).id
    job_id = _ended(tenant_id, "no_face", "not_live", "image_corrupt")
    result = _run(app, "jobs", "redrive", job_id, *options)
    assert result.exit_code == 0
    job = read_job(tenant_id, UUID(result.stdout.strip())).job
    assert (job.redrive_of, job.total_items) == (job_id, count)


@pytest.mark.usefixtures("nobody_works")
def test_a_job_that_cannot_be_redriven_is_one_clear_line(app: Flask) -> None:
    tenant_id = make_tenant(PLACE).id
    for job_id, complaint in (
        (uuid4(), "There is no such job"),
        (make_job(tenant_id), "The job is queued"),
        (_ended(tenant_id, "no_face"), "No item of the job failed with not_live"),
    ):
        result = _run(app, "jobs", "redrive", job_id, "--code", "not_live")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"Error: {complaint}")
