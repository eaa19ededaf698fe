"""DeepFace.represent over pictures, one call each: `deepface_rival FOLDER ONE|DEFAULT`.

Reads a line with a number of pictures, runs the next that many, answers with seconds, processor
seconds and faces.
"""

from __future__ import annotations

import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Any


def main(folder: Path, threads: str) -> None:
    """Serve rounds until the input ends."""
    import cv2
    import onnxruntime

    if threads == "ONE":
        _hold_to_one_thread(cv2, onnxruntime)
    from deepface import DeepFace

    pictures = cycle(sorted(folder.glob("*.jpg")))
    _represent(DeepFace, next(pictures))  # loads the models
    pictures = cycle(sorted(folder.glob("*.jpg")))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        begin, cpu, faces = time.perf_counter(), time.process_time(), 0
        for _ in range(int(line)):
            faces += _represent(DeepFace, next(pictures))
        wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
        sys.stdout.write(f"{wall} {cpu} {faces}\n")
        sys.stdout.flush()


def _represent(deepface: Any, path: Path) -> int:
    answers = deepface.represent(
        img_path=str(path),
        model_name="SFace",
        detector_backend="yunet",
        enforce_detection=False,
    )
    return len(answers)


def _hold_to_one_thread(cv2: Any, onnxruntime: Any) -> None:
    cv2.setNumThreads(1)
    session = onnxruntime.InferenceSession

    def single(*arguments: Any, **named: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return session(*arguments, **{**named, "sess_options": options})

    onnxruntime.InferenceSession = single


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
