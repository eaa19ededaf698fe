"""`scripts/health_check.sh`: one look at everything, for people and for monitors."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError
from scripts.watching.findings import EXIT_CODES, Check, Finding, Status, worst

_SYSTEMD = Path("/run/systemd/system")

_HELP = """Look at every service of FaceQueue and at this host.

Looks at what the API depends on (PostgreSQL, schema, replica, broker, cache, S3, mail), the API and
Flower, the workers of each queue, the dispatcher that leads, beat, what waits and for how long, and
this host's disks, memory, backups, certificates and recent errors in the logs. Needs the settings
in its environment, or in files that --env-file names; changes nothing. Logs are those of --log, or
the journal where systemd runs.

\b
    scripts/health_check.sh --env-file /etc/facequeue/facequeue.env --certificate api.example:443
    scripts/health_check.sh --env-file .facequeue/env --log .facequeue/log
    docker compose exec api scripts/health_check.sh --flower-url http://flower:5555/flower

\b
Exit status, as monitoring plugins have it; the first line of what is printed sums up:
  0  all is well
  1  warning: it works, and somebody should look
  2  critical: something does not work
  3  unknown: it cannot be looked at, or the command line is wrong
"""


@click.command(help=_HELP)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--env-file", "env_files", multiple=True, type=click.Path(path_type=Path))
@click.option("--api-url", help="Instead of FACEQUEUE_URL, or of gunicorn's own address.")
@click.option("--flower-url", help="Instead of FLOWER_URL, or of this host's.")
@click.option("--certificate", "certificates", multiple=True, help="FILE or HOST:PORT.")
@click.option("--log", "logs", multiple=True, type=click.Path(path_type=Path), help="Or a folder.")
@click.option("--journal", is_flag=True, help="Read the journal, also beside --log.")
@click.option("--minutes", default=15, show_default=True, help="Errors of so long are recent.")
@click.option("--skip", "skipped", multiple=True, help="A check by its name, such as flower.")
def main(
    *, as_json: bool, env_files: Sequence[Path], skipped: Sequence[str], **chosen: Any
) -> None:
    """Look, print, and exit with what it comes to."""
    try:
        for file in env_files:
            os.environ.update(_variables(file))
        settings = load_settings(log_level="ERROR", sentry_dsn=None)
        checks = _checks(settings, chosen)
    except (ConfigurationError, OSError, ValueError) as error:
        findings = [Finding("settings", Status.UNKNOWN, str(error))]
    else:
        findings = [found for check in checks for found in _unless(skipped, check)]
    status = worst(findings)
    click.echo(_json(status, findings) if as_json else _text(status, findings))
    _leave(EXIT_CODES[status])


def _checks(settings: Settings, chosen: dict[str, Any]) -> list[Check]:
    from scripts.watching import of_host, of_services

    journal = chosen["journal"] or (not chosen["logs"] and _SYSTEMD.exists())
    period_s = chosen["minutes"] * 60
    return [
        *_of_dependencies(settings),
        Check("api", partial(of_services.api, chosen["api_url"])),
        Check("flower", partial(of_services.flower, chosen["flower_url"])),
        Check("disk", partial(of_host.disks, settings)),
        Check("memory", of_host.memory),
        Check("backup", partial(of_host.backup, settings)),
        Check("certificate", partial(of_host.certificates, chosen["certificates"])),
        Check("errors", partial(of_host.errors, chosen["logs"], period_s, journal=journal)),
    ]


def _of_dependencies(settings: Settings) -> list[Check]:
    """Asked of them once: a question to what does not answer would only be waited for."""
    from app import create_app
    from app.services.upkeep.check_readiness import Health, check_readiness
    from scripts.watching import of_services

    app = create_app(settings)
    with app.app_context():
        ready = check_readiness()
        if ready.status is not Health.OK:
            # The first time, a busy host's time goes to loading and connecting.
            ready = check_readiness()
    answers = {name: check.status is Health.OK for name, check in ready.checks.items()}
    has_database, has_broker = answers["postgres"], answers["broker"]
    return [
        Check("dependencies", partial(of_services.dependencies, ready)),
        Check("queue", partial(of_services.queue, app, has_database=has_database)),
        Check("beat", partial(of_services.beat, app, has_database=has_database)),
        Check("workers", partial(of_services.workers, settings, has_broker=has_broker)),
    ]


def _unless(skipped: Sequence[str], check: Check) -> Sequence[Finding]:
    """A whole check goes by its name, and one of its findings by that one's."""
    if check.name in skipped:
        return []
    return [found for found in check.findings() if found.name not in skipped]


def _variables(file: Path) -> dict[str, str]:
    """The settings of a file that systemd or a shell reads; what a shell would compute is not."""
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.isidentifier() and "${" not in value:
            quoted = value[:1] in ("'", '"')
            found[name] = "".join(shlex.split(value)) if quoted else value
    return found


def _json(status: Status, findings: Sequence[Finding]) -> str:
    return json.dumps({"status": status, "checks": [asdict(found) for found in findings]}, indent=1)


def _text(status: Status, findings: Sequence[Finding]) -> str:
    bad = [found for found in findings if found.status not in (Status.OK, Status.OFF)]
    told = "; ".join(f"{found.name}: {found.detail}" for found in bad).replace("\n", " ")
    lines = [f"FACEQUEUE {status.upper()}: {told or 'all is well'}", ""]
    width = max((len(found.name) for found in findings), default=0)
    lines += [f"{f.status.upper():<8}  {f.name:<{width}}  {f.detail}".rstrip() for f in findings]
    return "\n".join(lines)


def _leave(code: int) -> None:
    """At once: a question that a dead server has not answered would be waited for."""
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(EXIT_CODES[Status.UNKNOWN])
