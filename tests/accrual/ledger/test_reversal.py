"""Corrections: a posted transfer is never changed, points move back; and revocation (M-051)."""

from uuid import uuid4

import pytest

from services.accrual.ledger import errors, service
from services.accrual.ledger.rules import ISSUANCE, REDEMPTION, Kind, NewReversal
from tests.accrual.ledger.conftest import issue, move


async def back(ledger, transfer, amount=None, kind=Kind.REVERSAL, as_id=None):
    reversal = NewReversal(as_id or uuid4(), transfer.id, amount)
    return await ledger(service.reverse_transfers, [reversal], reason="환불", kind=kind)


async def test_a_reversal_moves_points_back_and_names_what_it_undoes(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    sold = move(company, university, 80)
    await ledger.post(sold)
    undo = uuid4()
    assert await back(ledger, sold, as_id=undo) == 1
    assert await ledger.balance(company) == (100, 0, 100)
    assert await ledger.balance(university) == (0, 0, 0)
    found = await ledger(service.transfer, undo)
    assert found.transfer.reverses_id == sold.id
    assert found.transfer.details == {"reason": "환불"}
    assert (await ledger(service.transfer, sold.id)).reversed == 80


async def test_parts_may_be_reversed_until_all_of_it_is(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    sold = move(company, university, 80)
    await ledger.post(sold)
    first = uuid4()
    assert await back(ledger, sold, 50, as_id=first) == 1
    assert await back(ledger, sold, 50, as_id=first) == 0
    with pytest.raises(errors.ReversedAlready) as refused:
        await back(ledger, sold, 31)
    assert refused.value.params["amount"] == 80
    with pytest.raises(errors.ReversedAlready):
        await back(ledger, sold)
    assert await back(ledger, sold, 30) == 1
    assert (await ledger.balance(company))[0] == 100


async def test_what_the_receiver_has_spent_cannot_be_reversed(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    sold = move(company, university, 80)
    await ledger.post(sold, move(university, REDEMPTION, 1, kind="utilisation"))
    with pytest.raises(errors.Insufficient) as refused:
        await back(ledger, sold)
    assert refused.value.params["available"] == 79


async def test_holds_and_reversals_cannot_be_reversed(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    held, sold = move(company, university, 5), move(company, university, 5)
    await ledger(service.hold, held)
    await ledger.post(sold)
    undo = uuid4()
    await back(ledger, sold, as_id=undo)
    for transfer in (held, issue(company, 1, id=undo)):
        with pytest.raises(errors.NotReversible):
            await back(ledger, transfer)
    with pytest.raises(errors.TransferNotFound):
        await back(ledger, move(company, university, 1))


async def test_a_revocation_takes_back_what_is_spent_and_new_credit_repays_first(ledger):
    university, company, seller = uuid4(), uuid4(), await ledger.institution()
    earned = [issue(university, 400), issue(company, 400)]
    await ledger.post(*earned)
    await ledger.post(move(company, seller, 300))
    reversals = [NewReversal(uuid4(), one.id) for one in earned]
    revoke = service.reverse_transfers
    assert await ledger(revoke, reversals, reason="허위", kind=Kind.REVOCATION) == 2
    assert await ledger.balance(university) == (0, 0, 0)
    assert await ledger.balance(company) == (-300, 0, 0)
    with pytest.raises(errors.Insufficient) as refused:
        await ledger.post(move(company, seller, 1))
    assert refused.value.params["available"] == 0
    await ledger.post(issue(company, 250))
    assert await ledger.balance(company) == (-50, 0, 0)
    await ledger.post(issue(company, 60), issue(uuid4(), 1))
    assert await ledger.balance(company) == (10, 0, 10)
    assert await ledger.sql("SELECT DISTINCT debt FROM account") == [(0,)]
    await ledger.post(move(company, seller, 10))


async def test_below_zero_an_account_may_only_rise(ledger):
    company, seller = uuid4(), await ledger.institution()
    earned = issue(company, 100)
    await ledger.post(earned)
    await ledger.post(move(company, seller, 100))
    await back(ledger, earned, kind=Kind.REVOCATION)
    for together in ([], [issue(seller, 1)]):
        with pytest.raises(errors.Insufficient):
            await ledger.post(move(company, seller, 1), *together)
    await ledger.post(issue(company, 30))
    assert await ledger.sql("SELECT debt FROM account WHERE id = :id", id=company) == [(70,)]


async def test_a_hold_placed_before_a_revocation_is_still_honoured(ledger):
    company, seller = uuid4(), await ledger.institution()
    earned, wanted = issue(company, 100), move(company, seller, 80)
    await ledger.post(earned)
    await ledger(service.hold, wanted)
    await back(ledger, earned, kind=Kind.REVOCATION)
    assert await ledger.balance(company) == (0, 80, 0)
    await ledger(service.post_hold, id=uuid4(), hold_id=wanted.id, amount=80)
    assert await ledger.balance(company) == (-80, 0, 0)
    assert await ledger.balance(seller) == (80, 0, 80)


async def test_a_revocation_of_issued_points_returns_them_to_issuance(ledger):
    company = uuid4()
    earned = issue(company, 7)
    await ledger.post(earned)
    undo = uuid4()
    await back(ledger, earned, kind=Kind.REVOCATION, as_id=undo)
    assert (await ledger(service.transfer, undo)).transfer.credit_account == ISSUANCE
