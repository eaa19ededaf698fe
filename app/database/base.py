"""The Flask-SQLAlchemy object and the base of every model."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from app.domain.identifiers import new_id


class Base(DeclarativeBase):
    """Column types and constraint names are decided here, once."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            dt.datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB,
            str: Text,
        },
    )


db = SQLAlchemy(model_class=Base, session_options={"autoflush": False})


class Identified:
    """A row with an id of its own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class TenantOwned:
    """A row that belongs to a tenant; row-level security reads this column."""

    tenant_id: Mapped[UUID]


class Created:
    """A row that knows when it was made."""

    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
