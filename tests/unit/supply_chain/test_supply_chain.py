from __future__ import annotations

from typing import Any

import pytest

from scripts.supply_chain import judge_audit, refused_licences

SKIPPED = {"name": "flask", "skip_reason": "could not be audited"}
CLEAN: dict[str, Any] = {"name": "celery", "version": "5.6.0", "vulns": []}
VULNERABLE = {"name": "gunicorn", "version": "19.0", "vulns": [{"id": "CVE-2024-1135"}]}


def test_an_audit_that_reached_no_database_says_so_instead_of_no_vulnerabilities() -> None:
    assert judge_audit([SKIPPED]) == (
        True,
        "NOT AUDITED: no database was reached for any of 1 packages",
    )


def test_what_was_not_looked_up_is_counted_beside_what_was() -> None:
    assert judge_audit([SKIPPED, CLEAN]) == (
        True,
        "none known in 1 packages (1 could not be looked up)",
    )


def test_a_known_vulnerability_fails_and_is_named() -> None:
    assert judge_audit([CLEAN, VULNERABLE]) == (False, "gunicorn 19.0: CVE-2024-1135")


@pytest.mark.parametrize(
    "licence", ["GNU General Public License v3 (GPLv3)", "Proprietary", "AGPL-3.0", "UNKNOWN"]
)
def test_a_licence_that_is_not_accepted_is_named_with_its_package(licence: str) -> None:
    assert refused_licences({"some-package": licence, "flask": "BSD-3-Clause"}) == [
        f"some-package ({licence})"
    ]


def test_a_package_without_a_declared_licence_needs_one_that_was_read_elsewhere() -> None:
    assert refused_licences({"namex": "UNKNOWN"}) == []
