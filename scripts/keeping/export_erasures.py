"""`scripts/export_erasures.sh`: the ledger of what was erased, kept beside the backups."""

from __future__ import annotations

import click

from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES
from scripts.keeping.ledger import export_erasures
from scripts.keeping.metrics import measured

_HELP = f"""Write what was erased since the last run to BACKUP_DIR and AWS_S3_BACKUP_BUCKET.

The files hold ids alone. A restore reads them to erase again what was erased after its backup, so
run this every few minutes: what was erased after the last run and is lost with the database comes
back. Works as DATABASE_OWNER_URL. More: docs/backup.md.
{EXIT_CODES}"""


@click.command(help=_HELP)
def main() -> None:
    """Export."""
    settings = settings_or_refused()
    with measured("erasures", settings.backup_metrics_dir):
        export_erasures(settings)


if __name__ == "__main__":
    main()
