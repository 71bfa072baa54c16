"""Who is calling, as FastAPI dependencies: authentication is visible in a route's signature.

Applicant = Annotated[Claims, Depends(requires("accrual:apply"))]
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.problems import PasswordChangeRequired, PermissionDenied, Unauthenticated
from shared.tokens import Claims, TokenVerifier

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
LOGIN_IS_OPTIONAL: dict[str, Any] = {"security": [{}]}
"""`openapi_extra` of a route that reads `Credentials` and goes on without."""


def requires(*scopes: str) -> Callable[[Request, Credentials], Awaitable[Claims]]:
    """A dependency that lets in a valid token holding any one of `scopes` (none given: any token).

    Raises `Unauthenticated` and its kin (401), `PasswordChangeRequired` or `PermissionDenied`
    (403). A token that must first change its password opens only `password:change` (M-002).
    """
    wanted = frozenset(scopes)

    async def caller(request: Request, credentials: Credentials) -> Claims:
        if credentials is None:
            raise Unauthenticated
        verifier: TokenVerifier = request.app.state.verifier
        claims = await verifier.verify(credentials.credentials)
        if claims.pwd_change and "password:change" not in wanted:
            raise PasswordChangeRequired
        if wanted and not (wanted & claims.scope):
            raise PermissionDenied
        return claims

    return caller


Caller = Annotated[Claims, Depends(requires())]


def institution_of(claims: Claims) -> UUID:
    """The institution a caller belongs to; one without an institution has no own objects."""
    if claims.institution_id is None:
        raise PermissionDenied
    return UUID(claims.institution_id)
