"""Which nodes our pods come to, how many there are, and which goes first."""

from __future__ import annotations

import pytest

from tests.deploy.kubernetes import (
    OVERLAYS,
    container,
    labels_of_pod,
    name_of,
    named,
    of_kind,
    own_workloads,
    pod,
    variables,
    workloads,
)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_recognition_goes_first_where_nodes_are_full(overlay: str) -> None:
    values = {name_of(each): each["value"] for each in of_kind(overlay, "PriorityClass")}
    priority = {
        name_of(each): values[pod(each)["priorityClassName"]]
        for each in own_workloads(overlay)
        if "priorityClassName" in pod(each)
    }

    assert all(
        priority["recognition"] < priority[name]
        for name in ("api", "webhooks", "default", "dispatcher", "beat", "migrate")
    )


def test_on_gpus_only_recognition_runs_on_them() -> None:
    on_gpu = [
        name_of(each)
        for each in workloads("gpu")
        if "nvidia.com/gpu" in container(each)["resources"]["limits"]
    ]

    assert on_gpu == ["recognition"]
    assert variables(named("gpu", "Deployment", "recognition"))["FACE_DEVICE"] == "cuda"
    assert container(named("gpu", "Deployment", "recognition"))["image"].endswith(":gpu")


@pytest.mark.parametrize("overlay", ["cpu", "gpu"])
def test_a_scaler_alone_says_how_many_recognise(overlay: str) -> None:
    (scaler,) = of_kind(overlay, "ScaledObject")
    name = scaler["spec"]["scaleTargetRef"]["name"]

    assert "replicas" not in named(overlay, "Deployment", name)["spec"]
    assert scaler["spec"]["minReplicaCount"] >= 1


def test_replicas_spread_over_nodes_and_zones() -> None:
    for name in ("api", "recognition", "webhooks", "dispatcher"):
        deployment = named("cpu", "Deployment", name)
        spread = pod(deployment)["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == [
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        ]
        assert all(
            each["labelSelector"]["matchLabels"] == labels_of_pod(deployment) for each in spread
        )
