"""`flask webhook-secrets`: the encryption of signing secrets at rest."""

from __future__ import annotations

import click

from app.commands.typed_errors import CommandGroup
from app.services.webhooks.endpoint_secrets import reseal_secrets

group = CommandGroup("webhook-secrets", help="The encryption of webhook secrets at rest.")


@group.command("reseal")
def reseal() -> None:
    """Encrypt every secret with the first of ENCRYPTION_KEYS, so that the others can go."""
    click.echo(f"{reseal_secrets()} endpoints")
