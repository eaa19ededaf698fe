"""Settings: read once from the environment, validated whole, frozen afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.domain.errors import ConfigurationError
from app.settings.access import AccessSettings
from app.settings.audit import AuditSettings
from app.settings.broker import BrokerSettings
from app.settings.database import DatabaseSettings
from app.settings.limits import LimitSettings
from app.settings.mail import MailSettings
from app.settings.processes import ProcessSettings
from app.settings.recognition import RecognitionSettings
from app.settings.retention import RetentionSettings
from app.settings.secrets import SecretSettings
from app.settings.storage import StorageSettings
from app.settings.watching import WatchingSettings
from app.settings.webhooks import WebhookSettings


class Settings(
    MailSettings,
    WatchingSettings,
    RetentionSettings,
    AuditSettings,
    AccessSettings,
    WebhookSettings,
    ProcessSettings,
    LimitSettings,
    RecognitionSettings,
    StorageSettings,
    BrokerSettings,
    DatabaseSettings,
    SecretSettings,
):
    """Everything that an operator may choose, by concern in `app/settings`.

    The last named group is validated first, and its problems are told first.
    """


# The operator names the first; systemd's LoadCredential sets the second.
_SECRET_FOLDERS = ("FACEQUEUE_SECRETS_DIR", "CREDENTIALS_DIRECTORY")


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment and from folders of secrets; `overrides` win (tests).

    A file of such a folder is named like its setting (`secret_key`) and holds the value; a
    variable of that name wins over it.

    Raises:
        ConfigurationError: names every variable that is missing or wrong, in one message.
    """
    try:
        return Settings(_secrets_dir=_secret_folders(), **overrides)
    except ValidationError as error:
        problems = [
            f"  {item['loc'][0]}".upper() + f": {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        # Without the cause, which quotes the values.
        raise ConfigurationError(
            "The configuration is not usable:\n"
            + "\n".join(problems)
            + "\nSee .env.example for every variable and what it means."
        ) from None


def _secret_folders() -> list[Path]:
    named = {name: Path(os.environ[name]) for name in _SECRET_FOLDERS if os.environ.get(name)}
    for name, folder in named.items():
        if not folder.is_dir():
            raise ConfigurationError(f"{name}={folder}: there is no such folder of secrets")
    return list(named.values())
