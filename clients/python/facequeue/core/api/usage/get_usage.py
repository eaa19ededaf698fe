import datetime
from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.usage_group import UsageGroup
from ...models.usage_page import UsagePage
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    from_: datetime.date | Unset = UNSET,
    to: datetime.date | Unset = UNSET,
    group_by: list[UsageGroup] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["limit"] = limit

    params["cursor"] = cursor

    json_from_: str | Unset = UNSET
    if not isinstance(from_, Unset):
        json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to: str | Unset = UNSET
    if not isinstance(to, Unset):
        json_to = to.isoformat()
    params["to"] = json_to

    json_group_by: list[str] | Unset = UNSET
    if not isinstance(group_by, Unset):
        json_group_by = []
        for group_by_item_data in group_by:
            group_by_item: str = group_by_item_data
            json_group_by.append(group_by_item)

    params["group_by"] = json_group_by

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/usage",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | UsagePage:
    if response.status_code == 200:
        response_200 = UsagePage.from_dict(response.json())

        return response_200

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Problem | UsagePage]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    from_: datetime.date | Unset = UNSET,
    to: datetime.date | Unset = UNSET,
    group_by: list[UsageGroup] | Unset = UNSET,
) -> Response[Problem | UsagePage]:
    """Read how many images, faces, seconds of inference and webhooks your tenant has used.

     It is counted by UTC days, and stays when jobs and results are gone. What has just been done is
    added within minutes.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        from_ (datetime.date | Unset):  Example: 2026-03-01.
        to (datetime.date | Unset):  Example: 2026-03-31.
        group_by (list[UsageGroup] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | UsagePage]
    """

    kwargs = _get_kwargs(
        limit=limit,
        cursor=cursor,
        from_=from_,
        to=to,
        group_by=group_by,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    from_: datetime.date | Unset = UNSET,
    to: datetime.date | Unset = UNSET,
    group_by: list[UsageGroup] | Unset = UNSET,
) -> Problem | UsagePage | None:
    """Read how many images, faces, seconds of inference and webhooks your tenant has used.

     It is counted by UTC days, and stays when jobs and results are gone. What has just been done is
    added within minutes.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        from_ (datetime.date | Unset):  Example: 2026-03-01.
        to (datetime.date | Unset):  Example: 2026-03-31.
        group_by (list[UsageGroup] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | UsagePage
    """

    return sync_detailed(
        client=client,
        limit=limit,
        cursor=cursor,
        from_=from_,
        to=to,
        group_by=group_by,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    from_: datetime.date | Unset = UNSET,
    to: datetime.date | Unset = UNSET,
    group_by: list[UsageGroup] | Unset = UNSET,
) -> Response[Problem | UsagePage]:
    """Read how many images, faces, seconds of inference and webhooks your tenant has used.

     It is counted by UTC days, and stays when jobs and results are gone. What has just been done is
    added within minutes.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        from_ (datetime.date | Unset):  Example: 2026-03-01.
        to (datetime.date | Unset):  Example: 2026-03-31.
        group_by (list[UsageGroup] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | UsagePage]
    """

    kwargs = _get_kwargs(
        limit=limit,
        cursor=cursor,
        from_=from_,
        to=to,
        group_by=group_by,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    from_: datetime.date | Unset = UNSET,
    to: datetime.date | Unset = UNSET,
    group_by: list[UsageGroup] | Unset = UNSET,
) -> Problem | UsagePage | None:
    """Read how many images, faces, seconds of inference and webhooks your tenant has used.

     It is counted by UTC days, and stays when jobs and results are gone. What has just been done is
    added within minutes.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        from_ (datetime.date | Unset):  Example: 2026-03-01.
        to (datetime.date | Unset):  Example: 2026-03-31.
        group_by (list[UsageGroup] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | UsagePage
    """

    return (
        await asyncio_detailed(
            client=client,
            limit=limit,
            cursor=cursor,
            from_=from_,
            to=to,
            group_by=group_by,
        )
    ).parsed
