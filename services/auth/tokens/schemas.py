"""What the token routes take and give. Field names are those of OAuth 2."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.schemas import Schema


class TokenForm(BaseModel):
    """`application/x-www-form-urlencoded`, by grant:

    - `password`: client_id=portal, username, password, and `otp` or `passkey` where the account
      has a second factor; `refresh_in=cookie` for browsers
    - `urn:sanhak-mileage:passkey`: client_id=portal, passkey, and nothing else
    - `refresh_token`: client_id=portal, refresh_token (or the cookie)
    - `client_credentials`: client_id and client_secret (or HTTP Basic), audience, scope
    """

    grant_type: str | None = Field(default=None, examples=["password"])
    client_id: str | None = Field(default=None, examples=["portal"])
    client_secret: str | None = None
    username: str | None = Field(default=None, examples=["hanbit"])
    password: str | None = None
    otp: str | None = None
    passkey: str | None = Field(
        default=None, max_length=16_384, description="navigator.credentials.get()의 답(JSON)"
    )
    refresh_token: str | None = None
    refresh_in: Literal["cookie", "body"] = "body"
    audience: str | None = None
    scope: str | None = None
    acting_for: str | None = None


class RevokeForm(BaseModel):
    """RFC 7009; without `token` the refresh cookie is meant."""

    token: str | None = None
    token_type_hint: str | None = None
    client_id: str | None = None


class IntrospectForm(BaseModel):
    token: str | None = None
    token_type_hint: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class IntrospectOut(BaseModel):
    """RFC 7662; of a token that is not good nothing but that is told."""

    active: bool
    sub: str | None = None
    client_id: str | None = None
    scope: str | None = None
    exp: int | None = None
    iat: int | None = None
    token_type: str | None = None


class TokenOut(Schema):
    """`refresh_token` is null when it went into the cookie, or when there is none.
    `session_expires_in`: in how many seconds the session ends unless it is refreshed; null where
    there is none."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    refresh_token: str | None
    session_expires_in: int | None
    pwd_change: bool


class JwksOut(Schema):
    keys: list[dict[str, Any]]


class MetadataOut(Schema):
    """RFC 8414."""

    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    scopes_supported: list[str]


class RevocationsOut(Schema):
    """`min_pv`: the least permission version still good, by `sub:…`, `sid:…` or `client:…`."""

    min_pv: dict[str, int]
    last: int
