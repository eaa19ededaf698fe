"""Every overlay renders to what a cluster accepts, down to the names of fields."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from tests.deploy.kubernetes import OVERLAYS, Manifest, of_kind, rendered, rendered_with_hpa
from tests.deploy.programs import needs

# The oldest that docs/kubernetes.md names, and the newest that the validator knows.
VERSIONS = ("1.31", "1.37")
KEDA = "@kubernetes-models/keda@2.0.0"
KEDA_GROUP = "keda.sh/v1alpha1"


def faults(manifest: Manifest, version: str) -> list[str]:
    """What a cluster of `version` has against a manifest of its own."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"]
    return []


def is_keda_s(manifest: Manifest) -> bool:
    return bool(manifest["apiVersion"] == KEDA_GROUP)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_cluster_knows_every_field(overlay: str, version: str) -> None:
    built_in = [each for each in rendered(overlay) if not is_keda_s(each)]

    assert [fault for each in built_in for fault in faults(each, version)] == []


def test_a_field_that_no_cluster_knows_is_seen() -> None:
    worse = copy.deepcopy(of_kind("cpu", "Deployment")[0])
    worse["spec"]["template"]["spec"]["enableServiceLink"] = False

    (fault,) = faults(worse, VERSIONS[0])
    assert "enableServiceLink" in fault


def test_the_plain_autoscaler_takes_keda_s_place(tmp_path: Path) -> None:
    manifests = rendered_with_hpa(tmp_path)
    (scaler,) = (each for each in manifests if each["kind"] == "HorizontalPodAutoscaler")

    assert not any(is_keda_s(each) for each in manifests)
    assert scaler["spec"]["scaleTargetRef"]["name"] == "recognition"
    assert faults(scaler, VERSIONS[0]) == []


def test_the_parts_of_a_laptop_s_cluster_are_accepted(laptop_s_parts: list[Manifest]) -> None:
    assert [fault for each in laptop_s_parts for fault in faults(each, VERSIONS[0])] == []


@pytest.fixture(scope="module")
def keda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with KEDA's schema, and the program that holds manifests to it."""
    folder = tmp_path_factory.mktemp("keda")
    subprocess.run(  # noqa: S603 - a package, at a version
        ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", KEDA],  # noqa: S607 - as the tests of programs all do
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=600,
    )
    shutil.copy(Path(__file__).with_name("validate_keda.mjs"), folder)
    return folder


def faults_of_scaler(manifest: Manifest, keda: Path) -> list[str]:
    """What KEDA has against a ScaledObject."""
    checked = subprocess.run(
        ["node", "validate_keda.mjs"],  # noqa: S607 - as the tests of programs all do
        cwd=keda,
        input=json.dumps(manifest),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(checked.stdout)
    return found


@needs("node", "npm")
@pytest.mark.parametrize("overlay", ["cpu", "gpu"])
def test_keda_knows_every_field(overlay: str, keda: Path) -> None:
    (scaler,) = of_kind(overlay, "ScaledObject")

    assert faults_of_scaler(scaler, keda) == []


@needs("node", "npm")
def test_a_field_that_keda_does_not_know_is_seen(keda: Path) -> None:
    worse = copy.deepcopy(of_kind("cpu", "ScaledObject")[0])
    worse["spec"]["minReplicas"] = 1

    assert faults_of_scaler(worse, keda) == ["/spec/minReplicas is unknown"]


@needs("node", "npm")
def test_a_value_that_keda_does_not_take_is_seen(keda: Path) -> None:
    worse = copy.deepcopy(of_kind("cpu", "ScaledObject")[0])
    worse["spec"]["maxReplicaCount"] = "16"

    assert faults_of_scaler(worse, keda) != []
