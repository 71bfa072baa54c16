"""Issuing, redeeming and expiring touch accounts that everybody shares, and wait for nobody."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from services.accrual.ledger import service
from services.accrual.ledger.rules import EXPIRY, ISSUANCE, REDEMPTION
from tests.accrual.ledger.conftest import issue, move


async def post_without_waiting(ledger, *transfers):
    """Post them in a transaction that fails as soon as it has waited for a lock at all."""
    async with ledger.sessions.begin() as session:
        await session.execute(text("SET LOCAL lock_timeout = '5s'"))
        return await service.post_transfers(session, transfers)


@pytest.mark.parametrize("together", [False, True], ids=["one", "many"])
@pytest.mark.parametrize("system", [ISSUANCE, REDEMPTION, EXPIRY])
async def test_nobody_waits_while_another_has_posted_to_the_same_system_account(
    ledger, system, together
):
    def posting():
        """From the issuance, or to where points end, of an institution of its own."""
        if system == ISSUANCE:
            return [issue(uuid4(), 10) for _ in range(1 + together)]
        return [move(holders.pop(), system, 10) for _ in range(1 + together)]

    holders = [await ledger.institution(10) for _ in range(4)]
    async with ledger.sessions.begin() as session:
        await service.post_transfers(session, posting())
        # That transaction is open, with all the locks it took.
        assert await post_without_waiting(ledger, *posting()) == 1 + together


async def test_what_is_waited_for_is_an_institution_and_that_would_be_noticed(ledger):
    """The counter-proof: the same transactions on one institution's account do wait."""
    company = await ledger.institution(10)
    async with ledger.sessions.begin() as session:
        await service.post_transfers(session, [issue(company, 1)])
        async with ledger.sessions() as other:
            await other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                await service.post_transfers(other, [issue(company, 1)])


async def test_a_system_account_has_no_row_and_its_balance_is_what_all_others_have(ledger):
    company, university = await ledger.institution(70), await ledger.institution(30)
    await ledger.post(move(company, REDEMPTION, 20), move(university, EXPIRY, 5))
    assert await ledger.sql("SELECT id FROM account WHERE is_system_account(id)") == []
    moved = await ledger.sql(
        "SELECT account, sum(amount)::integer FROM (SELECT debit_account AS account, -amount AS"
        " amount FROM transfer UNION ALL SELECT credit_account, amount FROM transfer) AS leg"
        " WHERE is_system_account(account) GROUP BY account"
    )
    assert dict(moved) == {ISSUANCE: -100, REDEMPTION: 20, EXPIRY: 5}
