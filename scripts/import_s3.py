#!/usr/bin/env python3
"""Runs every image under an S3 prefix through FaceQueue; `--help` says how."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Runs the command; in the repository's virtual environment when this Python lacks parts."""
    sys.path.insert(0, str(ROOT))
    try:
        from scripts.importing.command import import_s3
    except ModuleNotFoundError as error:
        python = ROOT / ".venv/bin/python"
        if not python.exists() or Path(sys.prefix) == ROOT / ".venv":
            sys.exit(
                f"error: {error}; run ./scripts/quickstart.sh, or install requirements-slim.txt"
            )
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - our own interpreter, no shell
    import_s3()


if __name__ == "__main__":
    main()
