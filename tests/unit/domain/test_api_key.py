from __future__ import annotations

from uuid import uuid4

import pytest

from app.domain.api_key import Principal, is_key, issue_key, prefix_of
from app.domain.names import Scope


def test_a_key_carries_its_prefix_and_256_random_bits() -> None:
    issued = issue_key()
    label, prefix, secret = issued.text.split("_", 2)
    assert (label, prefix) == ("fq", issued.prefix)
    assert len(secret) * 6 >= 256
    assert issue_key().text != issued.text


def test_only_the_whole_key_fits_its_digest() -> None:
    issued = issue_key()
    assert is_key(issued.text, issued.key_hash)
    assert not is_key(issued.text[:-1], issued.key_hash)
    assert not is_key(issue_key().text, issued.key_hash)


@pytest.mark.parametrize("text", ["", "fq", "fq_abc", "fq__x", "xx_abc_x", "fq_a%c_x", "fq_abc_é"])
def test_what_has_not_the_form_of_a_key_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


def test_a_secret_may_hold_the_separator() -> None:
    assert prefix_of("fq_abc_d_e-f") == "abc"


def test_admin_may_do_and_grant_everything() -> None:
    admin = Principal(uuid4(), uuid4(), frozenset({Scope.ADMIN}))
    assert admin.may_grant(Scope)


def test_a_key_grants_only_what_it_has() -> None:
    reader = Principal(uuid4(), uuid4(), frozenset({Scope.JOBS_READ}))
    assert reader.may_grant([Scope.JOBS_READ])
    assert not reader.may_grant([Scope.JOBS_READ, Scope.JOBS_WRITE])
    assert not reader.may(Scope.ADMIN)


def test_a_key_may_end_itself_though_a_newer_version_gave_it_more() -> None:
    key_id, newer = uuid4(), ["jobs:read", "jobs:foretell"]
    reader = Principal(uuid4(), key_id, frozenset({Scope.JOBS_READ}))
    assert reader.may_end(key_id, newer)
    assert not reader.may_end(uuid4(), newer)
    assert reader.may_end(uuid4(), ["jobs:read"])
