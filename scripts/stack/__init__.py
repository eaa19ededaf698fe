"""The embedded stack: PostgreSQL, Valkey and SeaweedFS from Python packages, under supervisord.

State (data, secrets, logs, ports) lives in one folder, `.facequeue/` unless told otherwise. Nothing
in `app/` or `workers/` knows about this package: they read the same settings as in production.
"""
