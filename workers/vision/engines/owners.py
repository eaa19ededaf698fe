"""No folder of compiled libraries may come from two packages: each overwrites the other's files."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from app.domain.errors import ModelError

# The packages that bring each folder; the right one is in the lock files.
_RIVALS = {
    "cv2": (
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
        "opencv-python-headless",
        "opencv-python",
    ),
    "onnxruntime": (
        "onnxruntime",
        "onnxruntime-gpu",
        "onnxruntime-openvino",
        "onnxruntime-directml",
    ),
}


def require_single_owners() -> None:
    """Check that `cv2/` and `onnxruntime/` have one owner each.

    Raises:
        ModelError: two installed packages share a folder; the message names them.
    """
    for folder, packages in _RIVALS.items():
        owners = [name for name in packages if _is_installed(name)]
        if len(owners) > 1:
            raise ModelError(_complaint(folder, owners))


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _complaint(folder: str, owners: Iterable[str]) -> str:
    return (
        f"{' and '.join(owners)} are both installed and share the folder {folder}: uninstall both, "
        "then install one lock file into a fresh environment"
    )
