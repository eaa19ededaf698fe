"""Programs that only some machines have: a test that needs one says so."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """A mark for tests that run `programs`, which are skipped where one is missing.

    With CI=true nothing is skipped: such a test fails, since CI must have what it claims to try.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(missing) and os.environ.get("CI") != "true",
        reason=f"not here: {', '.join(missing)}; as root, scripts/test_deploy.sh installs it",
    )
