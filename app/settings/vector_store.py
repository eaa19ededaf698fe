"""The second vector store."""

from __future__ import annotations

from pydantic import Field

from app.settings.group import SettingsGroup


class VectorStoreSettings(SettingsGroup):
    """ChromaDB, where it is used."""

    chroma_host: str | None = Field(default=None, description="ChromaDB host; unset: pgvector")
    chroma_port: int = Field(default=8000, description="ChromaDB port")
