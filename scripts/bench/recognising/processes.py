"""The processes that are measured, as the command that measures sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from scripts.stack.state import ROOT

Answer = dict[str, Any]


class ProcessEnded(Exception):
    """A measured process ended instead of answering; what it printed stands above on stderr."""


class Conversation:
    """A program that answers each line with a line."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], core: int) -> None:
        self._name = arguments[0]
        command = ["taskset", "-c", str(core), sys.executable, "-m", *arguments]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, env={**os.environ, **environment}, text=True, cwd=ROOT
        )

    def say(self, line: str) -> None:
        """Send one line."""
        stream = cast("IO[str]", self._process.stdin)
        stream.write(line + "\n")
        stream.flush()

    def hear(self) -> str:
        """Wait for one line.

        Raises:
            ProcessEnded: there will be none.
        """
        line = cast("IO[str]", self._process.stdout).readline()
        if not line:
            raise ProcessEnded(f"{self._name} ended with status {self._process.wait()}")
        return line

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.communicate()


class SubjectProcess:
    """A `subject` on a core of its own."""

    def __init__(self, configuration: Answer, environment: Mapping[str, str]) -> None:
        module = "scripts.bench.recognising.subject"
        arguments = [module, json.dumps(configuration)]
        self._talk = Conversation(arguments, environment, configuration["core"])
        self.about = self.result()

    def begin(self, do: str, **details: object) -> None:
        """Send a command; `result` waits for its answer."""
        self._talk.say(json.dumps({"do": do, **details}))

    def result(self) -> Answer:
        """Wait for the answer to the last command."""
        answer: Answer = json.loads(self._talk.hear())
        return answer

    def ask(self, do: str, **details: object) -> Answer:
        """Send a command and wait for its answer."""
        self.begin(do, **details)
        return self.result()

    def close(self) -> None:
        """End the process."""
        self._talk.close()


class Rival:
    """DeepFace.represent, once a picture: `threads` is ONE, or DEFAULT as it installs itself."""

    def __init__(self, folder: Path, core: int, threads: str) -> None:
        environment = {
            "DEEPFACE_HOME": str(folder),
            "DEEPFACE_BACKEND_ENGINE": "onnx",
            "DEEPFACE_LOG_LEVEL": "50",
        }
        module = "scripts.bench.recognising.deepface_rival"
        self._talk = Conversation([module, str(folder), threads], environment, core)
        while self._talk.hear() != "ready\n":
            continue

    def run(self, count: int) -> Answer:
        """Let it represent the next `count` pictures."""
        self._talk.say(str(count))
        while not (line := self._talk.hear())[0].isdigit():
            continue
        wall, cpu, faces = line.split()
        return {"wall": float(wall), "cpu": float(cpu), "faces": int(faces)}

    def close(self) -> None:
        """End the process."""
        self._talk.close()


def lay_out_weights(models_dir: Path, folder: Path) -> None:
    """Put our verified weights where DeepFace looks for its own, which it would not check."""
    weights = folder / ".deepface" / "weights"
    weights.mkdir(parents=True)
    for ours, theirs in (
        ("yunet_2023mar_fp32.onnx", "face_detection_yunet_2023mar.onnx"),
        ("sface_2021dec_fp32.onnx", "face_recognition_sface_2021dec.onnx"),
    ):
        (weights / theirs).symlink_to((models_dir / ours).resolve(strict=True))
