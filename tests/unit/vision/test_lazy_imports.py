"""Heavy libraries are loaded by the child that uses them, at its first use, and by nobody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("cv2", "onnxruntime", "onnx", "openvino", "tensorflow", "deepface", "flask", "sqlalchemy")


@pytest.mark.parametrize(
    "module",
    [
        "workers.vision.pipeline",
        "workers.vision.weights.install_weights",
        "workers.vision.engines.openvino",
        "workers.vision.engines.deepface",
        "workers.commands.installed_models",
        "app.domain.model_registry",
    ],
)
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*({HEAVY!r} & sys.modules.keys()))"
    code = code.replace(repr(HEAVY), repr(set(HEAVY)))
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
