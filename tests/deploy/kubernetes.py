"""deploy/k8s as `kubectl kustomize` renders it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parents[2] / "deploy/k8s"
KUBECTL = Path(sys.executable).with_name("kubectl")
OVERLAYS = ("cpu", "gpu", "local")

Manifest = dict[str, Any]
COMPONENT = "app.kubernetes.io/component"


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """The manifests of an overlay."""
    return _build(K8S / "overlays" / overlay)


def rendered_with_hpa(folder: Path) -> tuple[Manifest, ...]:
    """The overlay `cpu`, in a copy in `folder`, with the other scaler in KEDA's place."""
    shutil.copytree(K8S, folder, dirs_exist_ok=True)
    chosen = folder / "overlays/cpu/kustomization.yaml"
    chosen.write_text(chosen.read_text().replace("components/keda #", "components/hpa #"))
    return _build(folder / "overlays/cpu")


def _build(folder: Path) -> tuple[Manifest, ...]:
    built = subprocess.run(  # noqa: S603 - our own manifests
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    return tuple(yaml.safe_load_all(built.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Manifest]:
    return [each for each in rendered(overlay) if each["kind"] in kinds]


def named(overlay: str, kind: str, name: str) -> Manifest:
    (found,) = (each for each in of_kind(overlay, kind) if name_of(each) == name)
    return found


def workloads(overlay: str) -> list[Manifest]:
    """Whatever makes pods."""
    return of_kind(overlay, "Deployment", "StatefulSet", "Job")


def own_workloads(overlay: str) -> list[Manifest]:
    """Whatever makes pods of ours, but for what only a laptop has."""
    known = {name_of(each) for each in workloads("cpu")}
    return [each for each in workloads(overlay) if name_of(each) in known]


def pod(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]["spec"]
    return found


def container(workload: Manifest) -> Manifest:
    (found,) = pod(workload)["containers"]
    return dict(found)


def labels_of_pod(workload: Manifest) -> dict[str, str]:
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def name_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def command_of(workload: Manifest) -> list[str]:
    its = container(workload)
    return [*its["command"], *its.get("args", ())]


def variables(workload: Manifest) -> dict[str, Any]:
    """The variables set for a container by itself; what a secret holds is its reference."""
    return {
        each["name"]: each.get("value", each.get("valueFrom"))
        for each in container(workload).get("env", ())
    }


def selected(selector: Manifest, overlay: str) -> set[str]:
    """The names of the workloads whose pods a label selector takes; an empty one takes all."""
    return {name_of(each) for each in workloads(overlay) if _matches(selector, labels_of_pod(each))}


def _matches(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", ())
    assert all(each["operator"] == "In" for each in expressions)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )


def values_named(key: str, part: Any) -> Iterator[Any]:
    """Every value that stands under `key` anywhere in a manifest."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == key:
                yield value
            yield from values_named(key, value)
    elif isinstance(part, list):
        for each in part:
            yield from values_named(key, each)
