"""What the API process carries: neither the vision libraries nor more memory than it may have."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_PROBE = """
import json, sys
import wsgi
client = wsgi.app.test_client()
assert client.get("/health/").status_code == 200
client.get("/health/ready/")
client.get("/api/v1/openapi.json")
# Not getrusage: a child starts with the peak of the process that made it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(status["VmHWM"].split()[0])
heavy = {"cv2", "tensorflow", "deepface", "onnxruntime", "openvino", "keras", "tf_keras"}
print(json.dumps({
    "heavy": sorted(heavy & set(sys.modules)),
    "celery": "celery" in sys.modules,
    "mb": peak / 1024,
}))
"""


@pytest.mark.usefixtures("stack_environment")
def test_the_api_process_is_light() -> None:
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True
    )
    found = json.loads(finished.stdout.splitlines()[-1])
    assert found["heavy"] == []
    assert found["mb"] < 200, f"the API process takes {found['mb']:.0f} MB"
