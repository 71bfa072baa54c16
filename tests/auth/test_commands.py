"""Commands given on the machine: the first operator, and new signing keys."""

import click
import httpx2
import pytest
from sqlalchemy import select

from services.auth.audit.models import AuditEvent
from services.auth.commands import _rotate, open_operator
from shared.http import Identity
from shared.problems import TokenRevoked
from shared.tokens import AUDIENCE, TokenVerifier
from tests.auth.conftest import SERVICE_SECRETS, code_of, until
from tests.conftest import ISSUER


async def test_the_first_operator_comes_in_by_a_printed_link(auth):
    link = await open_operator(auth.runtime, "Chief", "운영담당", "운영센터")
    body = {
        "token": link.partition("#token=")[2],
        "new_password": "Bomnal!2027",
        "confirm_password": "Bomnal!2027",
        "contact_phone": "02-6050-0000",
    }
    assert (await auth.client.post("/api/v1/auth/activation", json=body)).status_code == 200
    login = await auth.log_in("chief", "Bomnal!2027")
    assert "accounts:admin" in login.json()["scope"].split()


@pytest.mark.parametrize("login_id", ["1x", "가나다", "a b", "chief"])
async def test_a_bad_or_taken_id_is_refused(auth, login_id):
    await open_operator(auth.runtime, "chief", "운영담당", "운영센터")
    with pytest.raises(click.ClickException):
        await open_operator(auth.runtime, login_id, "운영담당", "운영센터")


@pytest.fixture
async def other_service(auth):
    """What every other process verifies tokens with: keys and revocations asked from auth."""
    identity = Identity(
        "accrual",
        auth_url="http://auth",
        secret=SERVICE_SECRETS["accrual"],
        transport=httpx2.ASGITransport(app=auth.app),
    )
    async with identity.running():
        yield TokenVerifier(
            identity.keys,
            issuer=ISSUER,
            audiences=frozenset({AUDIENCE}),
            revocations=identity.revocations,
        )


async def test_after_a_leak_no_process_believes_the_old_key_within_seconds_and_none_is_restarted(
    auth, other_service
):
    await auth.account()
    login = (await auth.log_in()).json()
    old = login["access_token"]
    headers = {"Authorization": f"Bearer {old}"}
    # Both have verified it: nothing but forgetting what was verified helps now.
    assert (await auth.client.get("/api/v1/auth/me", headers=headers)).status_code == 200
    await other_service.verify(old)
    kid = await _rotate(auth.runtime, 24, revoke_others=True)

    async def followed():
        here = await auth.client.get("/api/v1/auth/me", headers=headers)
        published = (await auth.client.get("/.well-known/jwks.json")).json()["keys"]
        try:
            await other_service.verify(old)
        except TokenRevoked:
            refused = code_of(here) == (401, "TOKEN_REVOKED")
            return refused and [key["kid"] for key in published] == [kid]
        return False

    assert await until(followed) < 3
    renewed = (await auth.refresh(login["refresh_token"])).json()["access_token"]
    assert (await other_service.verify(renewed)).kid == kid  # the session goes on


async def test_a_leaked_key_is_on_record_by_its_name(auth):
    [old] = (await auth.client.get("/.well-known/jwks.json")).json()["keys"]
    new = await _rotate(auth.runtime, 24, revoke_others=True)
    async with auth.runtime.sessions() as session:
        query = select(AuditEvent).where(AuditEvent.object_type == "signing_key")
        events = (await session.scalars(query.order_by(AuditEvent.id))).all()
    assert [(event.action, event.object_id) for event in events] == [
        ("signing_key.made", old["kid"]),
        ("signing_key.made", new),
        ("signing_key.dropped", old["kid"]),
    ]
