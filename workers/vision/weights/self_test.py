"""Proves at start that the loaded networks compute what they computed when they were registered.

The input is a fixed pattern, not a face: any change of weights, channel order, value range, layout
or engine arithmetic shows in it. References are stored beside this module, by model identity.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.domain.errors import ModelSelfTestFailed
from app.domain.model_registry import ModelEntry
from workers.vision.arrays import Floats, Pixels
from workers.vision.engines.interface import Graph
from workers.vision.faces.align import CROP_SIZE
from workers.vision.faces.recogniser import Recogniser

REFERENCE_FILE = Path(__file__).with_name("self_test.json")

_AGREEMENT = 0.999  # lowest cosine to the reference; bf16 keeps it, a swapped channel does not
_DETECTOR_SIZE = 160


def run_self_test(entry: ModelEntry, detector: Graph, recogniser: Recogniser) -> None:
    """Compare detector and recogniser with their stored references.

    A model of which there is no reference (the operator's own weights) is only held to finite
    answers that differ between inputs.

    Raises:
        ModelSelfTestFailed: what is loaded does not compute what it should.
    """
    references = json.loads(REFERENCE_FILE.read_text(encoding="utf-8"))
    _compare(entry, "detector", detector_answer(detector), references.get("detector"))
    answers = recogniser_answer(recogniser)
    if not _cosine(answers[0], answers[1]) <= _AGREEMENT:  # not-a-number fails as well
        raise ModelSelfTestFailed(f"{entry.name} gives the same answer to different pictures")
    _compare(entry, "recogniser", answers[0], references.get(entry.identity))


def detector_answer(graph: Graph) -> Floats:
    """Return the mean of every channel of every output for the pattern, in the outputs' order."""
    planes = pattern(_DETECTOR_SIZE, 1).transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    outputs = graph.run(planes)
    return np.concatenate([outputs[name][0].mean(axis=0) for name in sorted(outputs)])


def recogniser_answer(recogniser: Recogniser) -> Floats:
    """Return the embeddings of two patterns, (2, dimensions)."""
    return recogniser.embed([pattern(CROP_SIZE, 1), pattern(CROP_SIZE, 2)])


def pattern(side: int, seed: int) -> Pixels:
    """Draw smooth waves of a different period in each channel: the same on every machine."""
    rows, columns = np.mgrid[0:side, 0:side].astype(np.int64)
    waves = [(rows * (3 + c + seed) + columns * (5 - c) * seed) % 256 for c in range(3)]
    folded = np.abs(np.stack(waves, axis=-1) - 128).clip(0, 127)
    return np.asarray(2 * folded, dtype=np.uint8)


def _compare(entry: ModelEntry, part: str, found: Floats, reference: list[float] | None) -> None:
    if reference is None:
        return
    agreement = _cosine(found, np.array(reference, dtype=np.float32))
    if not agreement >= _AGREEMENT:
        raise ModelSelfTestFailed(
            f"The {part} of {entry.identity} agrees with its reference to {agreement:.4f} only; "
            f"{_AGREEMENT} is needed. Reinstall it: flask --app wsgi models install {entry.name}"
        )


def _cosine(a: Floats, b: Floats) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else float("nan")
