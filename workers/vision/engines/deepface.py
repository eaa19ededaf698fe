"""DeepFace on TensorFlow: builds the network in code and loads a weights file into it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.errors import ModelError
from workers.vision.arrays import Floats

_GPU_BATCH = 32


class DeepFaceEngine:
    """Loads the network `model` as DeepFace builds it; imports TensorFlow on first use."""

    name = "tensorflow"
    precision = "fp32"

    def __init__(self, model: str, *, threads: int = 1, task: str = "facial_recognition") -> None:
        self._model = model
        self._task = task
        self._threads = threads

    def load(self, path: Path) -> DeepFaceGraph:
        """Load the weights at `path`.

        DeepFace finds weights by name under its home and checks no digest; it gets a home that
        holds this file alone, under the name it looks for, so that it never downloads.

        Raises:
            ModelError: DeepFace or TensorFlow is not installed.
        """
        home = path.parent / "deepface-home"
        link = home / ".deepface" / "weights" / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
        os.environ |= {
            "DEEPFACE_HOME": str(home.resolve()),
            "DEEPFACE_BACKEND_ENGINE": "tensorflow",
            "TF_USE_LEGACY_KERAS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        try:
            import tensorflow as tf
            from deepface import DeepFace
        except ImportError as error:
            raise ModelError(
                f"{path.name} needs TensorFlow: pip install --require-hashes -r requirements.txt"
            ) from error
        _limit(tf, self._threads)
        client = DeepFace.build_model(model_name=self._model, task=self._task)
        on_gpu = bool(tf.config.list_physical_devices("GPU"))
        return DeepFaceGraph(client.model, _GPU_BATCH if on_gpu else 1)


class DeepFaceGraph:
    """A Keras model, called without its training behaviour."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self._model = model
        self.batch_size = batch_size

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over an NHWC `batch`; the one output is called "embedding"."""
        return {"embedding": np.asarray(self._model(batch, training=False), dtype=np.float32)}


def _limit(tensorflow: Any, threads: int) -> None:
    """Hold TensorFlow to its threads and, on a GPU, to the memory it needs."""
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, enable=True)
    except RuntimeError:
        return  # TensorFlow has started in this process already, with the limits of its first load
