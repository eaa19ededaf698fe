from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.deletion import Deletion
from ...models.problem import Problem
from ...models.subjects_delete import SubjectsDelete
from ...types import UNSET, Response, Unset


def _get_kwargs(
    collection_id: UUID,
    *,
    body: SubjectsDelete,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/collections/{collection_id}/subjects/delete".format(
            collection_id=quote(str(collection_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Deletion | Problem:
    if response.status_code == 200:
        response_200 = Deletion.from_dict(response.json())

        return response_200

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Deletion | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    collection_id: UUID,
    *,
    client: AuthenticatedClient,
    body: SubjectsDelete,
    idempotency_key: str | Unset = UNSET,
) -> Response[Deletion | Problem]:
    """Erase up to 1,000 people with all faces and embeddings, all at once.

     Named by `ids` or by your own `external_ids`. May be repeated: who is gone is `not_found`.

    Args:
        collection_id (UUID):
        idempotency_key (str | Unset):
        body (SubjectsDelete):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Deletion | Problem]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    collection_id: UUID,
    *,
    client: AuthenticatedClient,
    body: SubjectsDelete,
    idempotency_key: str | Unset = UNSET,
) -> Deletion | Problem | None:
    """Erase up to 1,000 people with all faces and embeddings, all at once.

     Named by `ids` or by your own `external_ids`. May be repeated: who is gone is `not_found`.

    Args:
        collection_id (UUID):
        idempotency_key (str | Unset):
        body (SubjectsDelete):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Deletion | Problem
    """

    return sync_detailed(
        collection_id=collection_id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    collection_id: UUID,
    *,
    client: AuthenticatedClient,
    body: SubjectsDelete,
    idempotency_key: str | Unset = UNSET,
) -> Response[Deletion | Problem]:
    """Erase up to 1,000 people with all faces and embeddings, all at once.

     Named by `ids` or by your own `external_ids`. May be repeated: who is gone is `not_found`.

    Args:
        collection_id (UUID):
        idempotency_key (str | Unset):
        body (SubjectsDelete):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Deletion | Problem]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    collection_id: UUID,
    *,
    client: AuthenticatedClient,
    body: SubjectsDelete,
    idempotency_key: str | Unset = UNSET,
) -> Deletion | Problem | None:
    """Erase up to 1,000 people with all faces and embeddings, all at once.

     Named by `ids` or by your own `external_ids`. May be repeated: who is gone is `not_found`.

    Args:
        collection_id (UUID):
        idempotency_key (str | Unset):
        body (SubjectsDelete):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Deletion | Problem
    """

    return (
        await asyncio_detailed(
            collection_id=collection_id,
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
