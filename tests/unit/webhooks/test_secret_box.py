from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from app.adapters.secret_box import SecretBox
from app.domain.errors import ConfigurationError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_sealed_secret_opens_to_itself_and_does_not_show_it() -> None:
    box = SecretBox([OLD])

    sealed = box.seal("whsec_abc")

    assert box.open(sealed) == "whsec_abc"
    assert b"whsec_abc" not in sealed


def test_what_an_older_key_sealed_still_opens_after_a_new_key_was_put_first() -> None:
    sealed = SecretBox([OLD]).seal("whsec_abc")

    assert SecretBox([NEW, OLD]).open(sealed) == "whsec_abc"


def test_a_resealed_secret_no_longer_needs_the_old_key() -> None:
    sealed = SecretBox([OLD]).seal("whsec_abc")

    resealed = SecretBox([NEW, OLD]).reseal(sealed)

    assert SecretBox([NEW]).open(resealed) == "whsec_abc"


def test_a_secret_that_no_key_fits_says_which_setting_is_wrong() -> None:
    sealed = SecretBox([OLD]).seal("whsec_abc")

    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEYS"):
        SecretBox([NEW]).open(sealed)


def test_an_altered_secret_does_not_open() -> None:
    sealed = SecretBox([OLD]).seal("whsec_abc")

    with pytest.raises(ConfigurationError):
        SecretBox([OLD]).open(sealed[:-4] + b"AAA=")
