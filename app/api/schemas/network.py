from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from app.domain.networks import parse_network


class NetworkField(fields.String):
    """An address or a CIDR, read in its shortest spelling."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        network: str = super()._deserialize(value, *args, **kwargs)
        try:
            return str(parse_network(network))
        except ValueError as error:
            raise ValidationError(
                "is no address, and no CIDR without bits beyond its length, such as 203.0.113.0/24"
            ) from error
