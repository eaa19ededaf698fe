"""Whether row-level security binds the role of a connection."""

# A superuser, the tables' owner, and whoever acts as one of them, see every tenant's rows.
IS_UNBOUND = """
SELECT pg_has_role('facequeue_owner', 'USAGE') OR rolbypassrls
FROM pg_roles WHERE rolname = current_user
"""
