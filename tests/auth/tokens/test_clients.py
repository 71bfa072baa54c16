"""Tokens for services: narrowed to one target, and to what the table of callers allows."""

import pytest
from sqlalchemy import select

from services.auth.audit.models import AuditEvent
from services.auth.clients import service as clients_service
from shared.clock import utc_now
from tests.auth.conftest import SERVICE_SECRETS, claims_of, code_of


async def test_a_service_gets_a_token_for_one_target_and_the_scope_it_asked_for(auth):
    answer = await auth.service_token("exchange", "accrual", "ledger:transfer")
    claims = claims_of(answer)
    assert answer.json()["expires_in"] == 300
    assert answer.json()["refresh_token"] is None
    assert (claims["aud"], claims["scope"]) == ("accrual", "ledger:transfer")
    assert (claims["sub"], claims["client_id"], claims["role"]) == (
        "exchange", "exchange", "service",
    )  # fmt: skip
    assert "act" not in claims


async def test_whom_a_service_acts_for_is_a_signed_claim(auth):
    account = await auth.account()
    answer = await auth.service_token(
        "exchange", "accrual", "ledger:transfer", acting_for=str(account.id)
    )
    assert claims_of(answer)["act"] == {"sub": str(account.id)}


@pytest.mark.parametrize("subject", ["0199aa00-0000-7000-8000-000000000000", "nobody"])
async def test_a_service_cannot_act_for_someone_who_does_not_exist(auth, subject):
    answer = await auth.service_token("exchange", "accrual", "ledger:transfer", acting_for=subject)
    assert code_of(answer) == (400, "OAUTH_INVALID_REQUEST")


@pytest.mark.parametrize(
    ("name", "audience", "scope"),
    [
        ("exchange", "accrual", "ledger:adjust"),
        ("exchange", "grants", ""),
        ("gateway", "auth", "institutions:resolve"),
        ("accrual", "mileage-api", "accrual:review"),
        ("exchange", "", "ledger:transfer"),
    ],
)
async def test_a_service_gets_nothing_beyond_the_table(auth, name, audience, scope):
    answer = await auth.service_token(name, audience, scope)
    assert code_of(answer) == (400, "OAUTH_SCOPE_NOT_ALLOWED")
    assert answer.json()["error"] == "invalid_scope"


async def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(auth):
    form = {"grant_type": "client_credentials", "audience": "auth"}
    wrong = await auth.client.post("/api/v1/auth/token", data=form, auth=("accrual", "no"))
    unknown = await auth.client.post("/api/v1/auth/token", data=form, auth=("nobody", "no"))
    assert code_of(wrong) == code_of(unknown) == (401, "OAUTH_CLIENT_INVALID")
    assert wrong.headers["www-authenticate"].startswith("Basic")


async def test_a_secret_may_come_in_the_form_but_not_in_both_places(auth):
    secret = SERVICE_SECRETS["accrual"]
    form = {
        "grant_type": "client_credentials",
        "audience": "auth",
        "client_id": "accrual",
        "client_secret": secret,
    }
    assert (await auth.token(**form)).status_code == 200
    both = await auth.client.post("/api/v1/auth/token", data=form, auth=("accrual", secret))
    assert code_of(both) == (400, "OAUTH_INVALID_REQUEST")


async def test_a_service_with_a_new_secret_can_use_the_old_one_for_another_hour(auth):
    async with auth.runtime.sessions.begin() as session:
        await clients_service.ensure_services(session, {"accrual": "n" * 32}, now=utc_now())
    form = {"grant_type": "client_credentials", "audience": "auth"}
    async with auth.runtime.sessions() as session:
        query = select(AuditEvent.object_id).where(AuditEvent.action == "client.secret_renewed")
        assert (await session.scalars(query)).all() == ["accrual"]
    for secret in ("n" * 32, SERVICE_SECRETS["accrual"]):
        answer = await auth.client.post("/api/v1/auth/token", data=form, auth=("accrual", secret))
        assert answer.status_code == 200
    later = utc_now() + clients_service.OVERLAP_OF_SERVICES
    async with auth.runtime.sessions.begin() as session:
        found = await clients_service.recognise(session, "accrual", "n" * 32, now=later)
        assert found.id == "accrual"
        with pytest.raises(clients_service.ClientUnknown):
            await clients_service.recognise(
                session, "accrual", SERVICE_SECRETS["accrual"], now=later
            )
