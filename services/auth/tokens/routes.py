"""The OAuth 2 endpoints, the public keys, and the revocation feed."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from services.auth import cookies
from services.auth.accounts import rules as account_rules
from services.auth.audit.service import Actor
from services.auth.callers import Runtime, Stranger
from services.auth.clients import service as clients_service
from services.auth.errors import ClientNotAllowed, ClientUnknown, OAuthProblem, UnsupportedGrant
from services.auth.sessions import service as sessions_service
from services.auth.tokens import logins, rules, service
from services.auth.tokens.client_tokens import ClientLogin, client_token
from services.auth.tokens.introspection import introspect
from services.auth.tokens.issuing import Issued
from services.auth.tokens.logins import Login
from services.auth.tokens.schemas import (
    IntrospectForm,
    IntrospectOut,
    JwksOut,
    MetadataOut,
    RevocationsOut,
    RevokeForm,
    TokenForm,
    TokenOut,
)
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/auth", tags=["tokens"])
well_known = APIRouter(prefix="/.well-known", tags=["tokens"])
internal = APIRouter(prefix="/internal", tags=["internal"])

RevocationReader = Annotated[Claims, Depends(requires("revocations:read"))]


@router.post("/token", response_model=TokenOut, summary="토큰 발급 (OAuth 2)")
async def issue_token(
    form: Annotated[TokenForm, Form()],
    request: Request,
    response: Response,
    runtime: Runtime,
    stranger: Stranger,
) -> TokenOut:
    """Log in (`password`, or by a passkey alone), stay logged in (`refresh_token`), or a token for
    a client (`client_credentials`). Refusals are problems that also carry OAuth's `error`."""
    if form.grant_type == "password":
        issued = await _log_in(form, request, runtime, stranger)
    elif form.grant_type == rules.PASSKEY_GRANT:
        issued = await _log_in_by_passkey(form, runtime, stranger)
    elif form.grant_type == "refresh_token":
        issued = await _refresh(form, request, runtime, stranger)
    elif form.grant_type == "client_credentials":
        issued = await _client_token(form, request, runtime, stranger)
    elif form.grant_type is None:
        raise OAuthProblem(reason="grant_type")
    else:
        raise UnsupportedGrant
    in_cookie = form.refresh_in == "cookie" or _uses_cookie(form)
    if issued.device is not None:
        cookies.set_device(response, runtime.settings, issued.device)
    if issued.refresh_token is not None and in_cookie:
        cookies.set_refresh(response, runtime.settings, issued.refresh_token)
    return TokenOut(
        access_token=issued.access_token,
        token_type="Bearer",  # noqa: S106  # a kind of token
        expires_in=issued.expires_in,
        scope=issued.scope,
        refresh_token=None if in_cookie else issued.refresh_token,
        session_expires_in=issued.session_expires_in,
        pwd_change=issued.pwd_change,
    )


def _uses_cookie(form: TokenForm) -> bool:
    return form.grant_type == "refresh_token" and form.refresh_token is None


async def _log_in(form: TokenForm, request: Request, runtime: Runtime, actor: Actor) -> Issued:
    _only_portal(form.client_id)
    if form.username is None or form.password is None:
        raise OAuthProblem(reason="username, password")
    device = cookies.device(request, runtime.settings)
    login = Login(form.username, form.password, form.otp, form.passkey, device)
    return await logins.log_in(runtime.issuer, login, actor=actor, now=utc_now())


async def _log_in_by_passkey(form: TokenForm, runtime: Runtime, actor: Actor) -> Issued:
    _only_portal(form.client_id)
    if form.passkey is None:
        raise OAuthProblem(reason="passkey")
    return await logins.log_in_by_passkey(runtime.issuer, form.passkey, actor=actor, now=utc_now())


async def _refresh(form: TokenForm, request: Request, runtime: Runtime, actor: Actor) -> Issued:
    _only_portal(form.client_id)
    shown = form.refresh_token or cookies.refresh(request, runtime.settings)
    return await service.refresh(
        runtime.issuer, shown, client_id=rules.PORTAL, actor=actor, now=utc_now()
    )


async def _client_token(
    form: TokenForm, request: Request, runtime: Runtime, actor: Actor
) -> Issued:
    client_id, secret = _client_credentials(form, request)
    login = ClientLogin(client_id, secret, form.audience, form.scope, form.acting_for)
    return await client_token(runtime.issuer, login, actor=actor, now=utc_now())


def _only_portal(client_id: str | None) -> None:
    if client_id is None:
        raise OAuthProblem(reason="client_id")
    if client_id != rules.PORTAL:
        raise ClientNotAllowed


def _client_credentials(form: TokenForm | IntrospectForm, request: Request) -> tuple[str, str]:
    """From HTTP Basic or from the form, never from both (RFC 6749, 2.3)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if form.client_secret is not None:
            raise OAuthProblem(reason="client_secret")
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ClientUnknown from None
        client_id, _, secret = decoded.partition(":")
        return client_id, secret
    if form.client_id is None or form.client_secret is None:
        raise ClientUnknown
    return form.client_id, form.client_secret


@router.post("/token/revoke", status_code=200, response_model=None, summary="로그아웃 (RFC 7009)")
async def revoke_token(
    form: Annotated[RevokeForm, Form()],
    request: Request,
    response: Response,
    runtime: Runtime,
    stranger: Stranger,
) -> None:
    """End the session of a refresh token. Always 200, whether or not it meant anything."""
    shown = form.token or cookies.refresh(request, runtime.settings)
    await service.log_out(runtime.issuer, shown, actor=stranger, now=utc_now())
    cookies.clear_refresh(response, runtime.settings)


@router.post(
    "/token/introspect",
    response_model=IntrospectOut,
    response_model_exclude_none=True,
    summary="토큰 확인 (RFC 7662)",
)
async def introspect_token(
    form: Annotated[IntrospectForm, Form()], request: Request, runtime: Runtime, session: Session
) -> IntrospectOut:
    """Asked by a client with its own credentials. Decided by the database, not by a snapshot."""
    client_id, secret = _client_credentials(form, request)
    now = utc_now()
    client = await clients_service.recognise(session, client_id, secret, now=now)
    found = await introspect(session, runtime.verifier, form.token or "", asked_by=client, now=now)
    return IntrospectOut(**found)


@well_known.get("/jwks.json", response_model=JwksOut, summary="공개 키 (JWKS)")
async def show_keys(response: Response, runtime: Runtime) -> JwksOut:
    response.headers["Cache-Control"] = "public, max-age=300"
    return JwksOut(keys=[dict(key) for key in await runtime.keys.jwks()])


@well_known.get(
    "/oauth-authorization-server", response_model=MetadataOut, summary="인증 서버 정보 (RFC 8414)"
)
async def show_metadata(response: Response, runtime: Runtime) -> MetadataOut:
    response.headers["Cache-Control"] = "public, max-age=300"
    issuer = runtime.settings.token_issuer
    known = {scope for scopes in account_rules.SCOPES.values() for scope in scopes}
    return MetadataOut(
        issuer=issuer,
        token_endpoint=f"{issuer}/api/v1/auth/token",
        revocation_endpoint=f"{issuer}/api/v1/auth/token/revoke",
        introspection_endpoint=f"{issuer}/api/v1/auth/token/introspect",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        response_types_supported=[],  # nobody is sent here by a browser's redirection
        grant_types_supported=[
            "password",
            rules.PASSKEY_GRANT,
            "refresh_token",
            "client_credentials",
        ],
        token_endpoint_auth_methods_supported=[
            "none",
            "client_secret_basic",
            "client_secret_post",
        ],
        scopes_supported=sorted(known | {account_rules.PASSWORD_CHANGE}),
    )


@internal.get("/revocations", response_model=RevocationsOut, summary="해지 목록")
async def list_revocations(
    caller: RevocationReader,
    session: Session,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> RevocationsOut:
    return RevocationsOut.model_validate(await sessions_service.revoked_after(session, after))
