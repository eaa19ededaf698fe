from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    collection_id: UUID,
    face_id: UUID,
    *,
    size: int | Unset = 160,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    params: dict[str, Any] = {}

    params["size"] = size

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/collections/{collection_id}/faces/{face_id}/crop".format(
            collection_id=quote(str(collection_id), safe=""),
            face_id=quote(str(face_id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | File | Problem:
    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.content))

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | File | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    collection_id: UUID,
    face_id: UUID,
    *,
    client: AuthenticatedClient,
    size: int | Unset = 160,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """See a face: cut out of its image with a margin, as a JPEG.

     Its image must still be where the job that enrolled it found it, with the same bytes, and that
    job must not be deleted.

    Args:
        collection_id (UUID):
        face_id (UUID):
        size (int | Unset):  Default: 160.
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        face_id=face_id,
        size=size,
        if_none_match=if_none_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    collection_id: UUID,
    face_id: UUID,
    *,
    client: AuthenticatedClient,
    size: int | Unset = 160,
    if_none_match: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """See a face: cut out of its image with a margin, as a JPEG.

     Its image must still be where the job that enrolled it found it, with the same bytes, and that
    job must not be deleted.

    Args:
        collection_id (UUID):
        face_id (UUID):
        size (int | Unset):  Default: 160.
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return sync_detailed(
        collection_id=collection_id,
        face_id=face_id,
        client=client,
        size=size,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    collection_id: UUID,
    face_id: UUID,
    *,
    client: AuthenticatedClient,
    size: int | Unset = 160,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """See a face: cut out of its image with a margin, as a JPEG.

     Its image must still be where the job that enrolled it found it, with the same bytes, and that
    job must not be deleted.

    Args:
        collection_id (UUID):
        face_id (UUID):
        size (int | Unset):  Default: 160.
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        face_id=face_id,
        size=size,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    collection_id: UUID,
    face_id: UUID,
    *,
    client: AuthenticatedClient,
    size: int | Unset = 160,
    if_none_match: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """See a face: cut out of its image with a margin, as a JPEG.

     Its image must still be where the job that enrolled it found it, with the same bytes, and that
    job must not be deleted.

    Args:
        collection_id (UUID):
        face_id (UUID):
        size (int | Unset):  Default: 160.
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return (
        await asyncio_detailed(
            collection_id=collection_id,
            face_id=face_id,
            client=client,
            size=size,
            if_none_match=if_none_match,
        )
    ).parsed
