from __future__ import annotations

import os
import subprocess

import pytest
import yaml

from tests.deploy.kubernetes import K8S, KUBECTL, Manifest
from tests.support.served_api import client_environment

__all__ = ["client_environment", "laptop_s_parts"]


@pytest.fixture(scope="session")
def laptop_s_parts() -> list[Manifest]:
    """The secrets and the config map that a laptop's cluster is given beside the overlay."""
    path = f"{KUBECTL.parent}{os.pathsep}{os.environ['PATH']}"
    printed = subprocess.run(  # noqa: S603 - our own script
        [K8S / "local_parts.sh"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in yaml.safe_load_all(printed.stdout) if each]
