"""The measured process: `python -m scripts.bench.recognising.subject CONFIGURATION`.

Reads one JSON command a line and answers with one JSON line: seconds by the clock, seconds of the
processor (the decode helper's too) and what the command found. The configuration is a JSON object:
`folder` of the pictures, `core`, `engine`, `device`, `models_dir` and whether to open the `whole`
path, for which the settings of a running stack are in the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from app import create_app
from scripts.bench.pictures import Picture, load_pictures
from scripts.bench.recognising.bare import Bare, options_of
from scripts.bench.recognising.whole import WholePath
from workers.vision.images.decode_apart import ApartDecoder
from workers.vision.load_model import LoadedModel, load_model
from workers.vision.pipeline import ImageInput, RecognitionPipeline, VisionSettings
from workers.vision.results import Rotation

Answer = dict[str, Any]


class Subject:
    """One process that recognises, as the commands ask."""

    def __init__(self, configuration: Answer) -> None:
        os.sched_setaffinity(0, {configuration["core"]})
        settings = VisionSettings(
            models_dir=Path(configuration["models_dir"]),
            engine=configuration["engine"],
            device=configuration.get("device", "cpu"),
        )
        self._folder = Path(configuration["folder"])
        self._model: LoadedModel = load_model(settings)
        self._pipeline = RecognitionPipeline(settings, self._model)
        self._bare = Bare(self._model)
        self._whole = WholePath(create_app(), self._pipeline) if configuration["whole"] else None

    def answer(self, command: Answer) -> Answer:
        """Do what `command["do"]` names, on pictures `first` to `first + count`."""
        do = command["do"]
        if do == "about":
            return self._about()
        if do == "shard":
            return self._timed(lambda: self._shard(command))
        pictures = load_pictures(self._folder, command["first"], command["count"])
        rotation = cast("Rotation", command["rotation"])
        if do == "bare":
            self._bare.seconds.clear()
            answer = self._timed(lambda: {"faces": self._bare.run(pictures, rotation)})
            return answer | {"stages": dict(self._bare.seconds)}
        return self._timed(lambda: {"faces": self._stream(pictures, rotation)})

    def _stream(self, pictures: list[Picture], rotation: Rotation) -> int:
        inputs = (
            ImageInput(n, lambda data=picture.data: data, options_of(picture, rotation))  # type: ignore[misc] # mypy cannot type a lambda's default
            for n, picture in enumerate(pictures)
        )
        return sum(len(image.faces) for batch in self._pipeline.run(inputs) for image in batch)

    def _shard(self, command: Answer) -> Answer:
        if self._whole is None:
            raise RuntimeError("this process was not told of a stack")
        return self._whole.run(command["job_id"], command["min_faces"])

    def _timed(self, work: Callable[[], Answer]) -> Answer:
        wall, cpu = time.perf_counter(), self._cpu_seconds()
        found = work()
        used = self._cpu_seconds() - cpu
        return {**found, "wall": time.perf_counter() - wall, "cpu": used, "rss_mb": resident_mb()}

    def _cpu_seconds(self) -> float:
        decoder = self._model.decoder
        helper = decoder.cpu_seconds() if isinstance(decoder, ApartDecoder) else 0.0
        return time.process_time() + helper

    def _about(self) -> Answer:
        return {
            "engine": self._pipeline.engine,
            "engine_reason": self._pipeline.engine_reason,
            "rss_mb": resident_mb(),
        }


def resident_mb() -> int:
    """Return the memory of this process that is in RAM, in 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def main() -> None:
    """Serve commands until the input ends."""
    # Libraries that print must not be taken for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    subject = Subject(json.loads(sys.argv[1]))
    answers.write(json.dumps(subject.answer({"do": "about"})) + "\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(subject.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
