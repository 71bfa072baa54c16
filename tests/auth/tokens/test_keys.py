"""Signing keys: published, sealed, rotated without a gap."""

from datetime import timedelta

import jwt
import pytest
from jwt import PyJWK
from sqlalchemy import select

from services.auth.tokens import keys, rules
from services.auth.tokens.models import SigningKey
from services.auth.tokens.rules import KeyTimes
from shared.clock import utc_now
from shared.tokens import TokenVerifier
from tests.conftest import ISSUER


async def published(auth):
    auth.runtime.keys.forget()
    return (await auth.client.get("/.well-known/jwks.json")).json()["keys"]


async def test_a_stranger_can_verify_a_token_with_the_published_keys_alone(auth):
    await auth.account()
    token = (await auth.log_in()).json()["access_token"]
    [document] = await published(auth)
    assert set(document) == {"kty", "crv", "x", "y", "kid", "use", "alg"}  # nothing private
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["kid"]) == ("at+jwt", document["kid"])
    claims = jwt.decode(
        token, PyJWK.from_dict(document), ["ES256"], audience="mileage-api", issuer=ISSUER
    )
    assert claims["exp"] - claims["iat"] == 600


async def test_the_private_key_in_the_database_is_of_no_use_without_the_other_key(auth):
    async with auth.runtime.sessions() as session:
        row = (await session.scalars(select(SigningKey))).one()
    assert b"PRIVATE" not in row.private
    assert row.private.startswith(b"gAAAA")
    stranger = type(auth.runtime.vault)(peppers=["p" * 32], encryption_keys=["k" * 32])
    with pytest.raises(ValueError, match="KEY_ENCRYPTION_KEY"):
        stranger.unseal(row.private)


async def test_rotation_publishes_the_next_key_before_it_signs(auth):
    await auth.account()
    old = (await published(auth))[0]["kid"]
    now = utc_now()
    async with auth.runtime.sessions.begin() as session:
        new = await keys.rotate(session, auth.runtime.vault, overlap=timedelta(hours=24), now=now)
    assert {key["kid"] for key in await published(auth)} == {old, new}
    claims = {"sub": "a", "client_id": "portal", "iss": ISSUER, "aud": "mileage-api"}

    async def signs_at(when):
        token = await auth.runtime.keys.sign(claims, lifetime=timedelta(minutes=1), now=when)
        return token, jwt.get_unverified_header(token)["kid"]

    assert (await signs_at(now + timedelta(hours=23)))[1] == old
    assert (await signs_at(now + timedelta(hours=25)))[1] == new
    token, _ = await signs_at(now)
    verifier = TokenVerifier(auth.runtime.keys, issuer=ISSUER, audiences=frozenset({"mileage-api"}))
    assert (await verifier.verify(token)).sub == "a"


async def test_a_key_disappears_only_when_no_token_of_it_can_be_alive(auth):
    now = utc_now()
    times = [KeyTimes("old", now - timedelta(days=90)), KeyTimes("new", now)]
    assert rules.outlived(times, now + rules.LONGEST_LIFETIME) == []
    assert rules.outlived(times, now + rules.KEPT_AFTER_USE + timedelta(seconds=1)) == ["old"]


async def test_two_processes_that_start_at_once_make_one_key(auth_with):
    import asyncio

    auth = await auth_with()
    async with auth.runtime.sessions.begin() as session:
        await session.execute(SigningKey.__table__.delete())

    async def ensure():
        async with auth.runtime.sessions.begin() as session:
            await keys.ensure_key(session, auth.runtime.vault)

    await asyncio.gather(*(ensure() for _ in range(8)))
    assert len(await published(auth)) == 1


async def test_the_metadata_names_the_endpoints(auth):
    body = (await auth.client.get("/.well-known/oauth-authorization-server")).json()
    assert body["issuer"] == ISSUER
    assert body["token_endpoint"] == f"{ISSUER}/api/v1/auth/token"
    assert body["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert body["revocation_endpoint"] == f"{ISSUER}/api/v1/auth/token/revoke"
    assert body["introspection_endpoint"] == f"{ISSUER}/api/v1/auth/token/introspect"
    assert body["response_types_supported"] == []
    assert body["grant_types_supported"] == [
        "password",
        "urn:sanhak-mileage:passkey",
        "refresh_token",
        "client_credentials",
    ]
