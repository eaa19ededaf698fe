from __future__ import annotations

from tests.support.served_api import client_environment

__all__ = ["client_environment"]
