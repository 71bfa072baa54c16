"""Editable resources carry an ETag; a write says which version it saw (If-Match)."""

from typing import Annotated

from fastapi import Depends, Header, Response

from shared.problems import PreconditionRequired, Stale


async def _seen_version(if_match: Annotated[str | None, Header()] = None) -> int:
    if if_match is None:
        raise PreconditionRequired
    try:
        return int(if_match.strip().removeprefix("W/").strip('"'))
    except ValueError as error:
        raise Stale from error


SeenVersion = Annotated[int, Depends(_seen_version)]


def tag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'
