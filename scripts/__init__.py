"""What people run. The client of this repository needs no installing for it."""

import sys
from pathlib import Path

_CLIENT = str(Path(__file__).resolve().parent.parent / "clients/python")
if _CLIENT not in sys.path:
    sys.path.insert(0, _CLIENT)
