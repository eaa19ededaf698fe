"""Statements that every migration repeats for a tenant's table: policies of the three roles."""

from __future__ import annotations

OWNER = "facequeue_owner"
APP = "facequeue_app"
QUEUE = "facequeue_queue"

_CURRENT_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"


def secure(table: str, *, tenant_column: str = "tenant_id", app: str, queue: str = "") -> str:
    """SQL that closes a table to all but its tenant, with the privileges of the app and the queue.

    Args:
        table: the table, or a partitioned parent (partitions get no grants: no way around it).
        tenant_column: the column compared with `app.tenant_id` of the transaction.
        app: privileges of the app role, as in GRANT.
        queue: privileges of the queue role, which sees every tenant; none when empty.
    """
    own = f"{tenant_column} = {_CURRENT_TENANT}"
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY owner_all ON {table} TO {OWNER} USING (true) WITH CHECK (true)",
        f"CREATE POLICY tenant_only ON {table} TO {APP} USING ({own}) WITH CHECK ({own})",
        f"GRANT {app} ON {table} TO {APP}",
    ]
    if queue:
        statements += [
            f"CREATE POLICY queue_all ON {table} TO {QUEUE} USING (true) WITH CHECK (true)",
            f"GRANT {queue} ON {table} TO {QUEUE}",
        ]
    return ";\n".join(statements)
