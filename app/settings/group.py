"""What every group of settings has: how it is read, and in which environment it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)


def _split_commas(value: Any) -> Any:
    """What the environment gives as one string, as its parts."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]


def leads_to(url: str, schemes: Collection[str]) -> bool:
    """Whether a URL has one of these schemes, and a host and port that could be."""
    try:
        parts = urlsplit(url)
        # To read a port that is none raises.
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _FilledFiles(SecretsSettingsSource):
    """The files of one folder of secrets; an empty one is not there, as an empty variable is."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if value != ""}


class SettingsGroup(BaseSettings):
    """Settings of one concern; fields are the variables' names in lower case.

    The environment stands here, so that it is read before all that depends on it.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=False,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    facequeue_env: Literal["development", "production", "test"] = Field(
        default="production", description="`production` refuses placeholder secrets"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the folders of secrets, of which the last wins."""
        del dotenv_settings
        folders = getattr(file_secret_settings, "secrets_dir", None) or ()
        files = (_FilledFiles(settings_cls, folder) for folder in reversed(folders))
        return init_settings, env_settings, *files
