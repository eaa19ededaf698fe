"""Commands of the `flask` command line."""

from __future__ import annotations

from flask import Flask


def register_commands(app: Flask) -> None:
    """Add the commands to the application."""
    from app.commands.api_keys import group as api_keys
    from app.commands.audit import group as audit
    from app.commands.buckets import group as buckets
    from app.commands.calibrations import group as calibrations
    from app.commands.dead_letters import group as dead_letters
    from app.commands.erasures import group as erasures
    from app.commands.jobs import group as jobs
    from app.commands.queue import group as queue
    from app.commands.tenants import group as tenants
    from app.commands.usage import group as usage
    from app.commands.webhook_secrets import group as webhook_secrets

    for group in (
        tenants,
        api_keys,
        buckets,
        calibrations,
        queue,
        jobs,
        dead_letters,
        webhook_secrets,
        audit,
        erasures,
        usage,
    ):
        app.cli.add_command(group)
