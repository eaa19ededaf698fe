"""Which GPU a recognition child computes on: one child a GPU."""

from __future__ import annotations

import os
from collections.abc import Sequence

from billiard import current_process

from workers.vision.engines.gpu_memory import gpu_names


def take_gpu() -> str:
    """Let this child see one GPU only, by its place among its siblings; returns its name.

    To be called before anything of CUDA is loaded.

    Raises:
        ModelError: this host has no GPU.
    """
    index = getattr(current_process(), "index", 0)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu_of(index, gpu_names())
    return os.environ["CUDA_VISIBLE_DEVICES"]


def gpu_of(child: int, gpus: Sequence[str]) -> str:
    """Return the GPU of the child with this index; with more children than GPUs, some share."""
    return gpus[child % len(gpus)]
