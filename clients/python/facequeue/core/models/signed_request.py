from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.upload_method import UploadMethod, check_upload_method

if TYPE_CHECKING:
    from ..models.signed_request_headers import SignedRequestHeaders


T = TypeVar("T", bound="SignedRequest")


@_attrs_define
class SignedRequest:
    """
    Attributes:
        url (str):
        method (UploadMethod):
        headers (SignedRequestHeaders): Send all of them, as they are, and the length of the body
    """

    url: str
    method: UploadMethod
    headers: SignedRequestHeaders
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        method: str = self.method

        headers = self.headers.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "url": url,
                "method": method,
                "headers": headers,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.signed_request_headers import SignedRequestHeaders  # noqa: PLC0415

        d = dict(src_dict)
        url = d.pop("url")

        method = check_upload_method(d.pop("method"))

        headers = SignedRequestHeaders.from_dict(d.pop("headers"))

        signed_request = cls(
            url=url,
            method=method,
            headers=headers,
        )

        signed_request.additional_properties = d
        return signed_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
