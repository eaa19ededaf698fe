"""What deploy/k8s and compose.yml say of the image is what its Dockerfile says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.kubernetes import OVERLAYS, command_of, container, named, own_workloads, pod

DOCKER = Path(__file__).parents[2] / "deploy/docker"
PROCESSES = ("api", "recognition", "webhooks", "default", "dispatcher", "beat", "migrate")
every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def instruction(name: str) -> str:
    """The last of this name in the Dockerfile; an image has one of each."""
    return str(re.findall(rf"^{name} (.*)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)[-1])


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yml").read_text())["services"])


@every_overlay
def test_pods_run_as_the_image_s_user(overlay: str) -> None:
    for workload in own_workloads(overlay):
        its = pod(workload)["securityContext"]
        assert f"{its['runAsUser']}:{its['runAsGroup']}" == instruction("USER")


@every_overlay
def test_the_api_is_the_image_s_own_command_and_port(overlay: str) -> None:
    api = named(overlay, "Deployment", "api")

    assert command_of(api) == json.loads(instruction("CMD"))
    (port,) = container(api)["ports"]
    assert str(port["containerPort"]) == instruction("EXPOSE")


@every_overlay
def test_a_pod_says_nowhere_else_where_it_works(overlay: str) -> None:
    # Commands name files, such as deploy/gunicorn.conf.py, from the image's WORKDIR.
    assert not any("workingDir" in container(each) for each in own_workloads(overlay))


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_the_same_in_compose_and_in_a_pod(
    services: dict[str, Any], process: str
) -> None:
    kind = "Job" if process == "migrate" else "Deployment"
    command = services[process].get("command", json.loads(instruction("CMD")))
    defaults = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", word) for word in command]

    assert defaults == command_of(named("cpu", kind, process))


def test_every_step_and_process_of_ours_is_shut_in_alike(services: dict[str, Any]) -> None:
    ours = [each for each in services.values() if each["image"].startswith("${FACEQUEUE_IMAGE")]

    assert len(ours) == len(PROCESSES) + 2  # Flower, and the bucket
    for each in ours:
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]
