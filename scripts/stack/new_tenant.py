"""`python -m scripts.stack.new_tenant NAME S3://PLACE`: a tenant, its right to read and its key.

The same commands as an operator's, in one process: starting three takes three times as long.
"""

from __future__ import annotations

import json
import sys

from scripts.stack.failures import StackError


def main(name: str, place: str) -> None:
    """Print the tenant's id and the key as JSON."""
    tenant = _command("tenants", "create", name)
    _command("buckets", "allow", "--tenant", tenant, place)
    key = _command(
        *("api-keys", "create", "--tenant", tenant, "--name", "quickstart"),
        *("--scopes", "admin", "--never-expires"),
    )
    print(json.dumps({"tenant_id": tenant, "api_key": key}))


def _command(*arguments: str) -> str:
    from wsgi import app

    result = app.test_cli_runner().invoke(args=arguments)
    if result.exit_code != 0:
        raise StackError(f"`flask {' '.join(arguments)}` failed: {result.output.strip()}")
    return str(result.stdout.strip().splitlines()[-1] if result.stdout.strip() else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
