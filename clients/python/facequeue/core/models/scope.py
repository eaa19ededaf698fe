from typing import Literal, cast

Scope = Literal[
    "admin",
    "audit:read",
    "collections:read",
    "collections:write",
    "jobs:read",
    "jobs:write",
    "keys:write",
    "usage:read",
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
    "usage:read",
    "webhooks:write",
}


def check_scope(value: str) -> Scope:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(Scope, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SCOPE_VALUES!r}")
