"""Holds: reserved, then posted, voided or expired, exactly once, in whatever order calls arrive."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.accrual import jobs
from services.accrual.ledger import errors, service
from tests.accrual.ledger.conftest import move


@pytest.fixture
async def parties(ledger):
    return await ledger.institution(1_000), await ledger.institution()


async def held(ledger, parties, amount=750, **more):
    wanted = move(*parties, amount, **more)
    await ledger(service.hold, wanted)
    return wanted


async def state(ledger, transfer_id):
    return (await ledger(service.transfer, transfer_id)).state


async def test_a_hold_reserves_points_and_moves_none(ledger, parties):
    wanted = await held(ledger, parties)
    company, university = parties
    assert await ledger.balance(company) == (1_000, 750, 250)
    assert await ledger.balance(university) == (0, 0, 0)
    assert await state(ledger, wanted.id) == "pending"


async def test_posting_a_part_moves_it_and_releases_the_rest(ledger, parties):
    wanted = await held(ledger, parties)
    post = uuid4()
    assert await ledger(service.post_hold, id=post, hold_id=wanted.id, amount=500)
    company, university = parties
    assert await ledger.balance(company) == (500, 0, 500)
    assert await ledger.balance(university) == (500, 0, 500)
    found = await ledger(service.transfer, wanted.id)
    assert (found.state, found.ended_by, found.posted) == ("posted", post, 500)


async def test_voiding_releases_all_of_it(ledger, parties):
    wanted = await held(ledger, parties)
    assert await ledger(service.void_hold, id=uuid4(), hold_id=wanted.id)
    assert await ledger.balance(parties[0]) == (1_000, 0, 1_000)
    assert await state(ledger, wanted.id) == "voided"


async def test_each_step_may_be_repeated(ledger, parties):
    wanted = await held(ledger, parties)
    assert not await ledger(service.hold, wanted)
    ids = {"id": uuid4(), "hold_id": wanted.id}
    assert await ledger(service.post_hold, **ids, amount=500)
    assert not await ledger(service.post_hold, **ids, amount=500)
    assert not await ledger(service.hold, wanted)
    with pytest.raises(errors.TransferConflict):
        await ledger(service.post_hold, **ids, amount=499)
    assert await ledger.balance(parties[0]) == (500, 0, 500)


async def test_a_hold_ends_once(ledger, parties):
    wanted = await held(ledger, parties)
    await ledger(service.post_hold, id=uuid4(), hold_id=wanted.id, amount=1)
    with pytest.raises(errors.HoldEnded) as refused:
        await ledger(service.void_hold, id=uuid4(), hold_id=wanted.id)
    assert refused.value.params["state"] == "posted"
    with pytest.raises(errors.HoldEnded):
        await ledger(service.post_hold, id=uuid4(), hold_id=wanted.id, amount=1)


async def test_of_many_ends_at_once_one_wins_and_the_others_are_told(ledger, parties):
    wanted = await held(ledger, parties)
    ends = [
        ledger(service.post_hold, id=uuid4(), hold_id=wanted.id, amount=750) for _ in range(8)
    ] + [ledger(service.void_hold, id=uuid4(), hold_id=wanted.id) for _ in range(8)]
    answers = await asyncio.gather(*ends, return_exceptions=True)
    assert answers.count(True) == 1
    assert sum(isinstance(answer, errors.HoldEnded) for answer in answers) == 15


async def test_no_more_than_the_hold_can_be_posted(ledger, parties):
    wanted = await held(ledger, parties)
    with pytest.raises(errors.ExceedsHold) as refused:
        await ledger(service.post_hold, id=uuid4(), hold_id=wanted.id, amount=751)
    assert refused.value.params["held"] == 750


async def test_holds_together_never_exceed_the_balance(ledger, parties):
    answers = await asyncio.gather(
        *(held(ledger, parties, 100) for _ in range(30)), return_exceptions=True
    )
    assert sum(isinstance(answer, errors.Insufficient) for answer in answers) == 20
    assert await ledger.balance(parties[0]) == (1_000, 1_000, 0)


async def test_a_void_that_overtakes_its_hold_refuses_it_for_ever(ledger, parties):
    late, void = move(*parties, 5), uuid4()
    assert await ledger(service.void_hold, id=void, hold_id=late.id)
    assert not await ledger(service.void_hold, id=void, hold_id=late.id)
    with pytest.raises(errors.HoldVoided):
        await ledger(service.hold, late)
    with pytest.raises(errors.HoldVoided):
        await ledger(service.post_hold, id=uuid4(), hold_id=late.id, amount=5)
    with pytest.raises(errors.HoldEnded):
        await ledger(service.void_hold, id=uuid4(), hold_id=late.id)
    assert await state(ledger, late.id) == "voided"
    assert await ledger.balance(parties[0]) == (1_000, 0, 1_000)


async def test_a_hold_and_its_void_at_the_same_moment_leave_nothing_held(ledger, parties):
    for _ in range(10):
        wanted, void = move(*parties, 5), uuid4()
        answers = await asyncio.gather(
            ledger(service.hold, wanted),
            ledger(service.void_hold, id=void, hold_id=wanted.id),
            return_exceptions=True,
        )
        assert answers[1] is True
        assert answers[0] is True or isinstance(answers[0], errors.HoldVoided)
    assert await ledger.balance(parties[0]) == (1_000, 0, 1_000)


async def test_posting_what_was_never_held_is_not_found(ledger, parties):
    with pytest.raises(errors.TransferNotFound):
        await ledger(service.post_hold, id=uuid4(), hold_id=uuid4(), amount=5)
    moved = move(*parties, 5)
    await ledger.post(moved)
    for use_case, more in ((service.post_hold, {"amount": 5}), (service.void_hold, {})):
        with pytest.raises(errors.TransferNotFound):
            await ledger(use_case, id=uuid4(), hold_id=moved.id, **more)


async def test_a_hold_expires_by_itself(ledger, runtime, parties):
    now = datetime.now(UTC)
    old = await held(ledger, parties, 100, expires_at=now - timedelta(minutes=1))
    young = await held(ledger, parties, 10, expires_at=now + timedelta(hours=1))
    lasting = await held(ledger, parties, 1)
    with pytest.raises(errors.HoldExpired):
        await ledger(service.post_hold, id=uuid4(), hold_id=old.id, amount=100)
    await jobs.expire_holds(runtime)
    assert await ledger.balance(parties[0]) == (1_000, 11, 989)
    states = [await state(ledger, one.id) for one in (old, young, lasting)]
    assert states == ["expired", "pending", "pending"]
    with pytest.raises(errors.HoldEnded):
        await ledger(service.void_hold, id=uuid4(), hold_id=old.id)


async def test_a_hold_left_over_from_a_long_outage_expires_in_the_night(ledger, runtime, parties):
    old = await held(ledger, parties, expires_at=datetime.now(UTC) - timedelta(days=3))
    await jobs.expire_holds(runtime)
    assert await state(ledger, old.id) == "pending"
    await jobs.expire_all_holds(runtime)
    assert await state(ledger, old.id) == "expired"


async def test_expiry_and_void_at_once_end_a_hold_once(ledger, runtime, parties):
    wanted = await held(ledger, parties, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    answers = await asyncio.gather(
        *(ledger(service.expire_hold, wanted.id) for _ in range(4)),
        ledger(service.void_hold, id=uuid4(), hold_id=wanted.id),
        jobs.expire_holds(runtime),
        return_exceptions=True,
    )
    assert {type(answer) for answer in answers} <= {bool, errors.HoldEnded, type(None)}
    assert await state(ledger, wanted.id) in {"expired", "voided"}
    assert await ledger.balance(parties[0]) == (1_000, 0, 1_000)
