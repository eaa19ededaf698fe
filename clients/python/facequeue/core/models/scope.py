from typing import Literal

Scope = Literal[
    "admin",
    "audit:read",
    "collections:read",
    "collections:write",
    "jobs:read",
    "jobs:write",
    "keys:write",
    "webhooks:write",
]

SCOPE_VALUES: set[Scope] = {
    "admin",
    "audit:read",
    "collections:read",
    "collections:write",
    "jobs:read",
    "jobs:write",
    "keys:write",
    "webhooks:write",
}


def check_scope(value: str) -> Scope:
    if value in SCOPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SCOPE_VALUES!r}")
