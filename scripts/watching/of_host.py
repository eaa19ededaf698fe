"""This host: disks, memory, the age of backups, certificates, and errors in the logs."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import ssl
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from prometheus_client.parser import text_string_to_metric_families

from app.config import Settings
from scripts.watching.findings import Finding, Status, age, by_limits, since
from scripts.watching.log_lines import Reading
from scripts.watching.log_report import LogReport

_FULL, _VERY_FULL = 0.90, 0.95
_USED, _ALL_USED = 0.90, 0.97
_BACKUP_S, _NO_BACKUP_S = 26 * 3600, 50 * 3600
_DAYS, _FEW_DAYS = 14, 3
_MANY_ERRORS = 100
_TOLD = 3
_TLS_S = 5


def disks(settings: Settings) -> Sequence[Finding]:
    """Each file system of what FaceQueue keeps here."""
    others = (Path("/"), Path("/var/log"), Path(tempfile.gettempdir()))
    places = (settings.backup_dir, settings.models_dir, *others)
    mounts: dict[int, Path] = {}
    for place in places:
        there = next(path for path in (place.absolute(), *place.absolute().parents) if _is(path))
        mounts.setdefault(there.stat().st_dev, there)
    return [_disk(path) for path in mounts.values()]


def _disk(path: Path) -> Finding:
    space = shutil.disk_usage(path)
    usable = space.used + space.free
    used = space.used / usable if usable else 0.0
    said = f"{used:.0%} used, {space.free / 1e9:.1f} GB left"
    return Finding(f"disk of {path}", by_limits(used, _FULL, _VERY_FULL), said)


def _is(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def memory() -> Sequence[Finding]:
    """What is left, as the kernel estimates it."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    total, left = sizes["MemTotal"], sizes["MemAvailable"]
    used = 1 - left / total
    said = f"{used:.0%} of {total / 1e6:.1f} GB used"
    return [Finding("memory", by_limits(used, _USED, _ALL_USED), said)]


def backup(settings: Settings) -> Sequence[Finding]:
    """How old the last good backup of the database is, where this host makes them."""
    folder = settings.backup_metrics_dir
    if folder is not None:
        return [_measured(folder / "facequeue_backup_database.prom")]
    sets = settings.backup_dir / "database"
    if not sets.is_dir():
        return [Finding("backup", Status.OFF, f"none is made here: no {sets}")]
    done = sorted(path.parent.name for path in sets.glob("*Z/SHA256SUMS"))
    if not done:
        return [Finding("backup", Status.CRITICAL, f"no whole backup in {sets}")]
    return [_aged(since(dt.datetime.fromisoformat(done[-1]).timestamp()))]


def _measured(path: Path) -> Finding:
    if not path.exists():
        return Finding("backup", Status.CRITICAL, f"none was ever made: no {path}")
    values = {
        sample.name.removeprefix("facequeue_backup_"): sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }
    if not values.get("last_success_timestamp_seconds"):
        return Finding("backup", Status.CRITICAL, "none has ever succeeded")
    found = _aged(since(values["last_success_timestamp_seconds"]))
    if not values.get("last_status") and found.status is Status.OK:
        return Finding("backup", Status.WARNING, f"the last run failed; {found.detail}")
    return found


def _aged(seconds: float) -> Finding:
    said = f"the last good one is {age(seconds)} old"
    return Finding("backup", by_limits(seconds, _BACKUP_S, _NO_BACKUP_S), said)


def certificates(places: Sequence[str]) -> Sequence[Finding]:
    """For how long certificates are good: of files, and of servers (`HOST:PORT`)."""
    return [_certificate(place) for place in places] or [
        Finding("certificate", Status.OFF, "none is named (--certificate)")
    ]


def _certificate(place: str) -> Finding:
    name = f"certificate {place}"
    try:
        ends = _read(place).not_valid_after_utc
    except (OSError, ValueError) as error:
        return Finding(name, Status.CRITICAL, f"cannot be read: {error}")
    days = (ends - dt.datetime.now(dt.UTC)).total_seconds() / 86_400
    said = f"good until {ends:%Y-%m-%d}, {days:.0f} days"
    return Finding(name, by_limits(-days, -_DAYS, -_FEW_DAYS), said)


def _read(place: str) -> x509.Certificate:
    if Path(place).exists():
        return x509.load_pem_x509_certificate(Path(place).read_bytes())
    host, _, port = place.rpartition(":")
    if not (host and port.isdigit()):
        raise ValueError("no such file, and not HOST:PORT")
    # Not verified: one that has expired, or signs itself, is to be told of as well.
    address = (host.strip("[]"), int(port))
    return x509.load_pem_x509_certificate(
        ssl.get_server_certificate(address, timeout=_TLS_S).encode()
    )


def errors(places: Sequence[Path], period_s: float, *, journal: bool) -> Sequence[Finding]:
    """Lines of level error in the last while."""
    if not (places or journal):
        return [Finding("errors", Status.OFF, "no log is named (--log, --journal)")]
    start = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=period_s)
    reading, report = Reading(), LogReport()
    texts = reading.of_journal(start) if journal else reading.of_files(_recent(places, start))
    for line in reading.parsed(texts, start):
        report.add(line)
    if reading.faults:
        return [Finding("errors", Status.UNKNOWN, "; ".join(reading.faults))]
    found = report.as_dict(reading, _TOLD)["problems"]
    most = [f"{each['event']} ({each['count']})" for each in found if each["level"] != "warning"]
    said = f"{report.errors} in the last {age(period_s)}" + "".join(f", {each}" for each in most)
    return [Finding("errors", by_limits(report.errors, 0, _MANY_ERRORS), said)]


def _recent(places: Sequence[Path], start: dt.datetime) -> list[Path]:
    """The files, and those of folders; not what was last written to before."""
    files = [
        file
        for place in places
        for file in (sorted(place.glob("*.log*")) if place.is_dir() else [place])
    ]
    return [f for f in files if not f.exists() or os.stat(f).st_mtime >= start.timestamp()]  # noqa: PTH116 - one call each
