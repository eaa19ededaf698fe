"""What our pods may do, what they are told, and how they start and end."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from app.adapters.task_queue import make_celery
from app.config import Settings, load_settings
from app.domain.names import QueueName
from tests.deploy.kubernetes import (
    K8S,
    OVERLAYS,
    Manifest,
    command_of,
    container,
    name_of,
    named,
    of_kind,
    own_workloads,
    pod,
    rendered,
    values_named,
    variables,
    workloads,
)

UNITS = K8S.parent / "systemd"
WORKERS = ("recognition", "webhooks", "default")
PROCESSES = {"api", *WORKERS, "dispatcher", "beat", "flower"}
# Read by what runs the application, and not by the application.
AROUND = {
    "FACEQUEUE_SECRETS_DIR",
    "FLOWER_BASIC_AUTH",
    "GUNICORN_BIND",
    "GUNICORN_FORWARDED_ALLOW_IPS",
    "HOME",
    "REMAP_SIGTERM",
}

every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def settings_of(overlay: str) -> dict[str, str]:
    (found,) = (
        each
        for each in of_kind(overlay, "ConfigMap")
        if name_of(each).startswith("facequeue-settings")
    )
    return dict(found["data"])


def secrets_given(workload: Manifest) -> set[str]:
    """The secrets whose values a pod can read, as files or variables."""
    return {
        reference["name"]
        for key in ("secret", "secretKeyRef", "secretRef")
        for reference in values_named(key, pod(workload))
        if "name" in reference
    }


def test_every_process_that_systemd_starts_is_started_and_migrations_once() -> None:
    started = re.findall(r"facequeue-(\w+)\.service", " ".join(map(str, UNITS.glob("*.service"))))

    assert set(started) >= PROCESSES
    assert {name_of(each) for each in of_kind("cpu", "Deployment")} == PROCESSES
    assert {name_of(each) for each in of_kind("cpu", "Job")} == {"migrate"}


@every_overlay
def test_no_pod_may_do_more_than_run(overlay: str) -> None:
    for workload in workloads(overlay):
        its_pod, its = pod(workload)["securityContext"], container(workload)["securityContext"]
        assert its_pod["runAsNonRoot"], name_of(workload)
        assert its_pod["runAsUser"] > 0, name_of(workload)
        assert its_pod["seccompProfile"] == {"type": "RuntimeDefault"}, name_of(workload)
        assert its == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name_of(workload)
        assert pod(workload)["automountServiceAccountToken"] is False, name_of(workload)


@every_overlay
def test_the_cluster_sets_no_variables_of_its_own(overlay: str) -> None:
    assert all(pod(each)["enableServiceLinks"] is False for each in workloads(overlay))


@every_overlay
def test_the_cluster_itself_holds_the_namespace_to_that(overlay: str) -> None:
    (namespace,) = of_kind(overlay, "Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@every_overlay
def test_no_pod_can_use_up_its_node(overlay: str) -> None:
    for workload in workloads(overlay):
        resources = container(workload)["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]), name_of(workload)
        assert "memory" in resources["limits"], name_of(workload)


@every_overlay
def test_every_variable_is_one_that_somebody_reads(overlay: str) -> None:
    known = {name.upper() for name in Settings.model_fields} | AROUND

    assert set(settings_of(overlay)) - known == set()
    for workload in own_workloads(overlay):
        assert set(variables(workload)) - known == set(), name_of(workload)


@pytest.mark.parametrize("example", ["secrets.example.env", "owner.example.env"])
def test_every_secret_is_a_setting(example: str) -> None:
    names = re.findall(r"^#? ?(\w+)=", (K8S / example).read_text(), re.MULTILINE)

    assert names
    assert set(names) <= set(Settings.model_fields)


def test_what_a_pod_is_told_is_a_whole_configuration(
    laptop_s_parts: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in settings_of("local").items():
        monkeypatch.setenv(name, value)
    (secrets,) = (each for each in laptop_s_parts if name_of(each) == "facequeue-secrets")
    for name, value in secrets["data"].items():
        (tmp_path / name).write_bytes(base64.b64decode(value))
    monkeypatch.setenv("FACEQUEUE_SECRETS_DIR", str(tmp_path))

    settings = load_settings(facequeue_env="production")

    assert settings.aws_endpoint_url_s3 == "http://s3:8333"
    assert settings.database_owner_url is None


@every_overlay
def test_secrets_reach_the_application_as_files_alone(overlay: str) -> None:
    for workload in own_workloads(overlay):
        assert secrets_given(workload) >= {"facequeue-secrets"}, name_of(workload)
        (folder,) = (
            each["mountPath"]
            for each in container(workload)["volumeMounts"]
            if each["name"] == "secrets"
        )
        assert variables(workload)["FACEQUEUE_SECRETS_DIR"] == folder


@every_overlay
def test_only_chores_and_migrations_are_given_the_owner_of_the_database(overlay: str) -> None:
    holders = {
        name_of(each) for each in workloads(overlay) if "facequeue-owner" in secrets_given(each)
    }

    assert holders == {"default", "migrate"}


@every_overlay
def test_every_secret_and_config_map_is_one_that_is_made(
    overlay: str, laptop_s_parts: list[Manifest]
) -> None:
    made = {
        (each["kind"], name_of(each)) for each in (*laptop_s_parts, *of_kind(overlay, "ConfigMap"))
    }
    for workload in workloads(overlay):
        wanted = {("Secret", name) for name in secrets_given(workload)} | {
            ("ConfigMap", reference["name"])
            for key in ("configMapRef", "configMap")
            for reference in values_named(key, pod(workload))
        }
        assert wanted - made == set(), name_of(workload)


@every_overlay
def test_every_queue_has_one_worker(overlay: str) -> None:
    served = [
        queue
        for name in WORKERS
        for command in [command_of(named(overlay, "Deployment", name))]
        for queue in command[command.index("-Q") + 1].split(",")
    ]

    assert sorted(served) == sorted(QueueName)


@pytest.mark.parametrize("name", [*WORKERS, "dispatcher", "beat", "api"])
def test_a_process_runs_as_systemd_runs_it(name: str) -> None:
    text = (UNITS / f"facequeue-{name}.service").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ExecStart=\S+/bin/(.*)$", text, re.MULTILINE)
    ours = command_of(named("cpu", "Deployment", name))

    line = line.replace("%%", "%").replace("${CELERY_WORKER_CONCURRENCY}", "1")
    assert [word for word in ours if word != "--pidfile="] == line.split()


@every_overlay
def test_pods_have_as_long_to_stop_as_services(overlay: str) -> None:
    common = (UNITS / "facequeue-.service.d/common.conf").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", common, re.MULTILINE)
    soft = make_celery(_settings()).conf.worker_soft_shutdown_timeout

    for workload in own_workloads(overlay):
        grace = pod(workload)["terminationGracePeriodSeconds"]
        assert grace == int(seconds) > soft, name_of(workload)


def _settings() -> Any:
    return Settings.model_construct(celery_broker_url=None, redis_url="redis://127.0.0.1:1/0")


@every_overlay
def test_workers_shut_down_softly(overlay: str) -> None:
    for name in WORKERS:
        assert variables(named(overlay, "Deployment", name))["REMAP_SIGTERM"] == "SIGQUIT"


@every_overlay
def test_only_what_a_restart_helps_is_restarted(overlay: str) -> None:
    api = container(named(overlay, "Deployment", "api"))
    restarted = {
        name_of(each)
        for each in own_workloads(overlay)
        if "livenessProbe" in container(each) and each["kind"] == "Deployment"
    }

    assert api["livenessProbe"]["httpGet"]["path"] == "/health/"
    assert api["readinessProbe"]["httpGet"]["path"] == "/health/ready/"
    assert restarted == {"api", "dispatcher", "beat", "flower"}


@pytest.mark.parametrize(
    ("name", "probe", "old_s"),
    [("recognition", "readinessProbe", 60), ("beat", "livenessProbe", 300)],
)
def test_a_pulse_is_seen_while_it_is_fresh(
    name: str, probe: str, old_s: float, tmp_path: Path
) -> None:
    deployment = named("cpu", "Deployment", name)
    file = tmp_path / "pulse"

    def is_well() -> bool:
        command = container(deployment)[probe]["exec"]["command"]
        asked = [word.replace(variables(deployment)["PULSE_FILE"], str(file)) for word in command]
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own probe

    assert not is_well()
    file.touch()
    assert is_well()
    os.utime(file, (time.time() - old_s,) * 2)
    assert not is_well()


@every_overlay
def test_all_of_ours_is_in_one_namespace(overlay: str) -> None:
    cluster_wide = ("Namespace", "PriorityClass")
    spaces = {
        each["metadata"].get("namespace")
        for each in rendered(overlay)
        if each["kind"] not in cluster_wide
    }

    assert spaces == {"facequeue"}
