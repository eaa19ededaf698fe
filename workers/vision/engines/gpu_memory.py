"""How much memory the GPU has left, and how many inputs at a time that allows."""

from __future__ import annotations

import os
import subprocess

from app.domain.errors import ModelError

_QUERY_SECONDS = 10.0
_MIB = 1 << 20
_DEFAULT_BATCH = 32
# Free memory, and the batch that fits it: a detector's batch of 64 pictures of 640 x 640 px takes
# 315 MB as input and about eight times that in its widest layers; a recogniser's much less.
_BATCHES = ((8 << 30, 64), (4 << 30, 32), (2 << 30, 16), (0, 8))


def gpu_batch(free_bytes: int | None) -> int:
    """Return how many inputs to compute at a time; 32 when nobody knows what is free."""
    if free_bytes is None:
        return _DEFAULT_BATCH
    return next(batch for least, batch in _BATCHES if free_bytes >= least)


def free_gpu_bytes() -> int | None:
    """Return the free memory of the first GPU that this process sees; None when it cannot be told.

    Asks nvidia-smi, which comes with the driver and knows nothing of CUDA_VISIBLE_DEVICES.
    """
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    answer = _nvidia_smi("--query-gpu=memory.free", "-i", device)
    first = answer.splitlines()[0].strip() if answer else ""
    return int(first) * _MIB if first.isdigit() else None


def gpu_names() -> list[str]:
    """Return the GPUs of this host that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Raises:
        ModelError: there is none.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = named.split(",") if named is not None else _nvidia_smi("--query-gpu=index").splitlines()
    found = [name.strip() for name in names if name.strip()]
    if not found:
        raise ModelError("FACE_DEVICE asks for a GPU, but nvidia-smi finds none on this host")
    return found


def _nvidia_smi(*arguments: str) -> str:
    """Return what nvidia-smi prints; nothing where it is not installed or fails."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the device comes from the operator
            ["nvidia-smi", "--format=csv,noheader,nounits", *arguments],  # noqa: S607 - where the driver put it
            capture_output=True,
            text=True,
            timeout=_QUERY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
