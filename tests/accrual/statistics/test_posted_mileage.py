"""What the grants service asks: whether an institution had earned anything on a day (M-061)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, Kind, NewReversal, NewTransfer
from shared.clock import seoul_day, utc_now


@pytest.fixture
def ask(world, tokens):
    headers = tokens.headers(
        "accrual:read", aud="accrual", client_id="grants", sub="grants", role="service"
    )

    async def posted(institution_id: UUID, days: int = 0):
        day = seoul_day(utc_now()) + timedelta(days=days)
        path = f"/internal/institutions/{institution_id}/posted-mileage"
        return await world.client.get(path, params={"on": day.isoformat()}, headers=headers)

    return posted


@pytest.fixture
def post(world):
    async def move(
        debit: UUID, credit: UUID, amount: int, kind: str = Kind.ACCRUAL, field: str | None = None
    ) -> UUID:
        one = NewTransfer(
            id=uuid4(),
            debit_account=debit,
            credit_account=credit,
            amount=amount,
            kind=kind,
            field=field,
        )
        async with world.runtime.sessions.begin() as session:
            await ledger.post_transfers(session, [one])
        return one.id

    return move


async def test_what_was_earned_is_told_with_the_kind_of_institution(ask, post, registry):
    company = uuid4()
    registry.kinds[str(company)] = "company"
    await post(ISSUANCE, company, 450)
    today = seoul_day(utc_now()).isoformat()
    assert (await ask(company)).json() == {
        "institution_id": str(company),
        "kind": "company",
        "on": today,
        "has_posted_mileage": True,
        "points": 450,
        "by_field": {},
    }
    before = (await ask(company, -1)).json()
    assert (before["has_posted_mileage"], before["points"]) == (False, 0)


async def test_spending_takes_nothing_away_and_receiving_brings_nothing(ask, post):
    company, university = uuid4(), uuid4()
    await post(ISSUANCE, company, 450)
    await post(company, university, 450, Kind.EXCHANGE)
    assert (await ask(company)).json()["points"] == 450
    assert (await ask(university)).json()["has_posted_mileage"] is False


async def test_revoked_mileage_is_no_posted_mileage(world, ask, post):
    company = uuid4()
    earned = await post(ISSUANCE, company, 450)
    for amount, left in ((50, 400), (400, 0)):
        undo = NewReversal(uuid4(), earned, amount)
        async with world.runtime.sessions.begin() as session:
            await ledger.reverse_transfers(session, [undo], reason="허위", kind=Kind.REVOCATION)
        found = (await ask(company)).json()
        assert (found["points"], found["has_posted_mileage"]) == (left, left > 0)


async def test_points_are_told_by_field_without_those_revoked(world, ask, post):
    company = uuid4()
    await post(ISSUANCE, company, 300, field="HIRING")
    gone = await post(ISSUANCE, company, 45, field="RESEARCH")
    undo = NewReversal(uuid4(), gone, 45)
    async with world.runtime.sessions.begin() as session:
        await ledger.reverse_transfers(session, [undo], reason="허위", kind=Kind.REVOCATION)
    found = (await ask(company)).json()
    assert (found["points"], found["by_field"]) == (300, {"HIRING": 300})


async def test_tomorrow_is_refused_and_an_unknown_institution_is_not_found(
    ask, registry, monkeypatch
):
    future = await ask(uuid4(), 1)
    assert (future.status_code, future.json()["errors"][0]["code"]) == (422, "DATE_FUTURE")
    registry.down = True
    assert (await ask(uuid4())).status_code == 503
    registry.down = False
    monkeypatch.setattr("services.accrual.clients.Registry.institutions", _nobody)
    assert (await ask(uuid4())).status_code == 404


async def test_it_is_for_services_not_for_people(world):
    person = world.university()
    path = f"/internal/institutions/{person.sub}/posted-mileage?on=2025-01-01"
    assert (await person.get(path)).status_code == 403


async def _nobody(_registry, _ids):
    return {}
