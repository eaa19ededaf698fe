"""Faces are cut out by the API as it is served: other requests are answered meanwhile."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from tests.factories.callers import Caller
from tests.factories.portraits import Portrait
from tests.support.processes import Processes, wait_until
from tests.support.served_api import served_api


def program() -> psutil.Process | None:
    """The one that cuts out, a grandchild of this process."""
    below = psutil.Process().children(recursive=True)
    found = [each for each in below if "workers.vision.images.crop_helper" in each.cmdline()]
    return found[0] if found else None


@pytest.mark.slow
def test_while_a_face_is_cut_out_the_api_answers_others_and_ends_its_program_with_itself(
    api: Caller, programs: Processes
) -> None:
    portrait = Portrait(api)
    key = {"Authorization": f"Bearer {api.key}"}
    with served_api(programs) as environment:
        url = environment["FACEQUEUE_URL"]
        crop = f"{url}/api/v1{portrait.path}/crop"
        assert requests.get(crop, headers=key, timeout=60).status_code == 200
        cutting = program()
        assert cutting is not None

        os.kill(cutting.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(requests.get, crop, headers=key, timeout=60)
            try:
                for _ in range(5):
                    assert requests.get(f"{url}/health/", timeout=10).ok
                assert not waiting.done()
            finally:
                os.kill(cutting.pid, signal.SIGCONT)
            assert waiting.result().status_code == 200
    wait_until(lambda: not cutting.is_running(), seconds=30, what="the end of the program")
