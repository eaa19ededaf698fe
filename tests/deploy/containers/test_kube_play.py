"""The rendered pods of deploy/k8s run in the image, beside the servers of compose.yml.

Podman is no cluster: Services, policies and volume claims are not tried here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import yaml

from tests.deploy.containers.asked_for import ASKED_FOR
from tests.deploy.containers.compose_stack import ComposeStack
from tests.deploy.containers.pods import OVERLAY, config_maps, playable, probed
from tests.deploy.kubernetes import command_of, name_of, named, of_kind, pod
from tests.support.ports import free_port
from tests.support.processes import wait_until

pytestmark = ASKED_FOR
DEPLOYMENTS = ("api", "recognition", "webhooks", "default", "dispatcher", "beat", "flower")


@dataclass(frozen=True)
class Pods:
    """Pods that podman plays, and the ports of this machine that lead to them."""

    stack: ComposeStack
    ports: dict[str, int]

    def inspect(self, name: str) -> dict[str, Any]:
        found = self.stack.engine.podman("inspect", f"pod-{name}-facequeue")
        return dict(json.loads(found)[0])

    def is_well(self, name: str) -> bool:
        """What the pod's own probe finds."""
        probe = probed(named(OVERLAY, "Deployment", name))
        if "exec" in probe:
            engine = self.stack.engine
            return engine.succeeds("exec", f"pod-{name}-facequeue", *probe["exec"]["command"])
        try:
            url = f"http://127.0.0.1:{self.ports[name]}{probe['httpGet']['path']}"
            return requests.get(url, timeout=5).ok
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def pods(stack: ComposeStack) -> Iterator[Pods]:
    """Every pod of the overlay that is ours, all at once."""
    ours = [*(named(OVERLAY, "Deployment", name) for name in DEPLOYMENTS)]
    ours.append(named(OVERLAY, "Job", "migrate"))
    ports = {name_of(each): free_port() for each in ours}
    parts = config_maps(stack.secrets()) + [playable(each, ports[name_of(each)]) for each in ours]
    file = stack.engine.folder / "pods.yaml"
    file.write_text(yaml.safe_dump_all(parts))
    stack.engine.podman("kube", "play", "--network", "facequeue_default", file)
    yield Pods(stack, ports)
    stack.engine.podman("kube", "down", file)


def test_every_deployment_of_ours_is_played() -> None:
    assert {name_of(each) for each in of_kind(OVERLAY, "Deployment")} == set(DEPLOYMENTS)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_is_well_by_its_own_probe(pods: Pods, name: str) -> None:
    wait_until(lambda: pods.is_well(name), seconds=120, what=f"{name}'s probe")

    workload = named(OVERLAY, "Deployment", name)
    its = pods.inspect(name)
    assert its["RestartCount"] == 0
    assert its["Config"]["WorkingDir"] == "/opt/facequeue"
    assert its["Args"] == command_of(workload)[1:]
    assert its["HostConfig"]["ReadonlyRootfs"]
    assert its["EffectiveCaps"] in (None, [])
    asked = "id -u; touch /tmp/x /run/facequeue/x; touch /opt/facequeue/x 2>/dev/null && echo open"
    user = pods.stack.engine.podman("exec", f"pod-{name}-facequeue", "sh", "-c", f"{asked}; true")
    assert user.split() == [str(pod(workload)["securityContext"]["runAsUser"])]


def test_the_migration_ends_well(pods: Pods) -> None:
    wait_until(
        lambda: pods.inspect("migrate")["State"]["Status"] == "exited", seconds=60, what="its end"
    )

    assert pods.inspect("migrate")["State"]["ExitCode"] == 0
