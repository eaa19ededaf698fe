"""The pods of deploy/k8s, as far as podman's `kube play` knows them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.deploy.kubernetes import Manifest, container, name_of, of_kind, pod

OVERLAY = "local"
SECRETS = "secrets-as-files"


def playable(workload: Manifest, port: int) -> Manifest:
    """The pod of a Deployment or Job, without what podman 4.3 does not know.

    That is: projected secrets, for which a config map of the same files stands in; references to
    secrets in variables; probes, which `probed` says for the test to ask; the name of a port.
    """
    spec = copy.deepcopy(pod(workload))
    (only,) = spec["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        only.pop(probe, None)
    for each in only.get("ports", ()):
        each.update(hostPort=port, hostIP="127.0.0.1")
    for variable in only["env"]:
        if "valueFrom" in variable:
            del variable["valueFrom"]
            variable["value"] = "operator:secret"
    for volume in spec["volumes"]:
        if volume.pop("projected", None):
            volume["configMap"] = {"name": SECRETS}
    metadata = {"name": f"pod-{name_of(workload)}", "labels": {"app": name_of(workload)}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def config_maps(secrets: Mapping[str, str]) -> list[Manifest]:
    """The settings that the overlay renders, and the secrets, by their settings' names."""
    (settings,) = (
        each
        for each in of_kind(OVERLAY, "ConfigMap")
        if name_of(each).startswith("facequeue-settings")
    )
    metadata = {"name": SECRETS}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(secrets)}
    return [settings, made]


def probed(workload: Manifest) -> dict[str, Any]:
    """How the cluster asks whether it is well: when ready, or else when alive."""
    its = container(workload)
    found: dict[str, Any] = its.get("readinessProbe") or its["livenessProbe"]
    return found
