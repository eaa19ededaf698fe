#!/usr/bin/env python3
"""Makes a calibration of a model from labelled faces; `--help` says how."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.calibrating.command import calibrate

if __name__ == "__main__":
    calibrate()
