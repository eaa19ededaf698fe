from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.subject import Subject
from ...models.subject_update import SubjectUpdate
from ...types import UNSET, Response, Unset


def _get_kwargs(
    collection_id: UUID,
    external_id: str,
    *,
    body: SubjectUpdate,
    if_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/api/v1/collections/{collection_id}/subjects/by-external-id/{external_id}".format(
            collection_id=quote(str(collection_id), safe=""),
            external_id=quote(str(external_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | Subject:
    if response.status_code == 200:
        response_200 = Subject.from_dict(response.json())

        return response_200

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Problem | Subject]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    collection_id: UUID,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: SubjectUpdate,
    if_match: str | Unset = UNSET,
) -> Response[Problem | Subject]:
    """Change a person whom you name by your own id.

     A JSON merge patch: what is not named stays, in `metadata` too.

    Args:
        collection_id (UUID):
        external_id (str):
        if_match (str | Unset):
        body (SubjectUpdate):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Subject]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        external_id=external_id,
        body=body,
        if_match=if_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    collection_id: UUID,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: SubjectUpdate,
    if_match: str | Unset = UNSET,
) -> Problem | Subject | None:
    """Change a person whom you name by your own id.

     A JSON merge patch: what is not named stays, in `metadata` too.

    Args:
        collection_id (UUID):
        external_id (str):
        if_match (str | Unset):
        body (SubjectUpdate):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Subject
    """

    return sync_detailed(
        collection_id=collection_id,
        external_id=external_id,
        client=client,
        body=body,
        if_match=if_match,
    ).parsed


async def asyncio_detailed(
    collection_id: UUID,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: SubjectUpdate,
    if_match: str | Unset = UNSET,
) -> Response[Problem | Subject]:
    """Change a person whom you name by your own id.

     A JSON merge patch: what is not named stays, in `metadata` too.

    Args:
        collection_id (UUID):
        external_id (str):
        if_match (str | Unset):
        body (SubjectUpdate):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Subject]
    """

    kwargs = _get_kwargs(
        collection_id=collection_id,
        external_id=external_id,
        body=body,
        if_match=if_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    collection_id: UUID,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: SubjectUpdate,
    if_match: str | Unset = UNSET,
) -> Problem | Subject | None:
    """Change a person whom you name by your own id.

     A JSON merge patch: what is not named stays, in `metadata` too.

    Args:
        collection_id (UUID):
        external_id (str):
        if_match (str | Unset):
        body (SubjectUpdate):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Subject
    """

    return (
        await asyncio_detailed(
            collection_id=collection_id,
            external_id=external_id,
            client=client,
            body=body,
            if_match=if_match,
        )
    ).parsed
