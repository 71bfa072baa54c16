"""Introspection: good at this moment by the database, told to whom it concerns."""

import pytest
from sqlalchemy import update

from services.auth.accounts.models import Account
from services.auth.institutions.models import Institution
from tests.auth.conftest import SERVICE_SECRETS, code_of


async def introspect(auth, token, client="accrual", secret=None):
    return await auth.client.post(
        "/api/v1/auth/token/introspect",
        data={"token": token},
        auth=(client, secret or SERVICE_SECRETS[client]),
    )


@pytest.fixture
async def login(auth):
    await auth.account()
    return (await auth.log_in()).json()


async def test_a_service_is_told_about_a_good_token(auth, login):
    body = (await introspect(auth, login["access_token"])).json()
    assert (body["active"], body["client_id"]) == (True, "portal")
    assert "accrual:apply" in body["scope"].split()


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Account, {"status": "disabled"}),
        (Account, {"pv": 2}),
        (Institution, {"status": "suspended"}),
    ],
)
async def test_it_does_not_wait_for_the_snapshot(auth, login, model, values):
    async with auth.runtime.sessions.begin() as session:
        await session.execute(update(model).values(**values))
    assert (await introspect(auth, login["access_token"])).json() == {"active": False}


async def test_a_token_of_an_ended_session_is_inactive_at_once(auth, login):
    await auth.client.post("/api/v1/auth/token/revoke", data={"token": login["refresh_token"]})
    assert (await introspect(auth, login["access_token"])).json() == {"active": False}


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u0000"])
async def test_of_rubbish_nothing_is_told(auth, token):
    assert (await introspect(auth, token)).json() == {"active": False}


async def test_strangers_may_not_ask_and_partners_only_about_themselves(auth, login):
    assert code_of(await introspect(auth, "x", secret="no")) == (401, "OAUTH_CLIENT_INVALID")
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    registered = await auth.client.post(
        "/api/v1/auth/clients",
        json={"name": "학사", "scopes": ["accrual:read"]},
        headers=headers,
    )
    secret = registered.json()["secret"]
    partner = (secret["client_id"], secret["client_secret"])
    own = await auth.client.post(
        "/api/v1/auth/token", data={"grant_type": "client_credentials"}, auth=partner
    )
    about_itself = await introspect(auth, own.json()["access_token"], *partner)
    assert about_itself.json()["sub"] == partner[0]
    assert (await introspect(auth, login["access_token"], *partner)).json() == {"active": False}
