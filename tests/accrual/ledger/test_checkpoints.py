"""Checkpoints: what was signed stays provable, and cannot be rewritten unseen."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.accrual import jobs
from services.accrual.app import create_app
from services.accrual.ledger import checkpoints, merkle, verification
from tests.accrual.ledger.conftest import Ledger, issue, move

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
KEY = checkpoints.signing_key(b"a secret of the tests")


@pytest.fixture
def ledger(runtime):
    """Without the look at the books in the end: some of these tests falsify them."""
    return Ledger(runtime.sessions)


async def falsify(ledger, statement, **params):
    """As a superuser would who wants to leave no trace."""
    async with ledger.sessions.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(statement), params)


async def take(ledger):
    return await ledger(checkpoints.take, KEY, now=NOW)


@given(st.integers(1, 70), st.data())
def test_every_leaf_of_a_tree_can_be_proven_and_no_other(size, data):
    leaves = [merkle.leaf(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = merkle.proof(leaves, index)
    assert merkle.root_of_proof(leaves[index], index, size, path) == merkle.root(leaves)
    assert merkle.root_of_proof(merkle.leaf(b"x"), index, size, path) != merkle.root(leaves)
    with pytest.raises(ValueError, match="too long"):
        merkle.root_of_proof(leaves[index], index, size, [*path, leaves[0]])


async def test_each_checkpoint_covers_what_moved_and_names_the_one_before(ledger):
    assert await take(ledger) is None
    one, two = await ledger.institution(10), await ledger.institution(20)
    await ledger.institution()  # never moved
    first = await take(ledger)
    assert orjson.loads(first.payload)["accounts"] == 2
    assert await take(ledger) is None
    await ledger.post(issue(two, 1))
    second = await take(ledger)
    said = orjson.loads(second.payload)
    assert (said["number"], said["accounts"]) == (2, 1)
    assert said["previous"] == hashlib.sha256(first.payload.encode()).hexdigest()
    assert (await ledger(checkpoints.proof_of, one)).number == 1
    assert (await ledger(checkpoints.proof_of, two)).number == 2
    assert (await ledger(verification.verify)).ok


async def test_an_account_is_proven_by_what_its_holder_has_in_hand(ledger):
    accounts = [await ledger.institution(5) for _ in range(5)]
    await take(ledger)
    for one in accounts:
        proof = await ledger(checkpoints.proof_of, one)
        assert checkpoints.proves(proof, one)
        assert not checkpoints.proves(proof, uuid4())
        assert not checkpoints.proves(replace(proof, version=2), one)
        assert not checkpoints.proves(replace(proof, head="00" * 32), one)
        other = proof.payload.replace('"accounts":5', '"accounts":6')
        assert not checkpoints.proves(replace(proof, payload=other), one)
    assert await ledger(checkpoints.proof_of, uuid4()) is None


async def test_a_history_computed_anew_to_the_last_hash_does_not_fit_what_was_signed(ledger):
    """Whoever may write everything rewrites a transfer, its entries, hashes and accounts."""
    company, university = await ledger.institution(100), await ledger.institution()
    spent = move(company, university, 60)
    await ledger.post(spent)
    await take(ledger)
    await falsify(
        ledger,
        "UPDATE transfer SET amount = 6, digest = transfer_digest(ROW(id, state, kind,"
        " debit_account, credit_account, 6, pending_id, reverses_id, NULL, expires_at, field,"
        " title, reference, origin_id, metadata)::transfer_request, recorded_at) WHERE id = :id",
        id=spent.id,
    )
    for one, amount, before in ((company, -6, 100), (university, 6, 0)):
        await falsify(
            ledger,
            "UPDATE entry SET amount = :amount, balance = :balance, hash = sha256("
            " coalesce((SELECT hash FROM entry AS b WHERE b.account_id = entry.account_id"
            " AND b.version = entry.version - 1), '') || t.digest)"
            " FROM transfer AS t WHERE t.id = transfer_id AND t.id = :id AND account_id = :one",
            id=spent.id, one=one, amount=amount, balance=before + amount,
        )  # fmt: skip
        await falsify(
            ledger,
            "UPDATE account SET available = :balance, head = (SELECT hash FROM entry"
            " WHERE account_id = :one ORDER BY version DESC LIMIT 1) WHERE id = :one",
            one=one, balance=before + amount,
        )  # fmt: skip
    report = await ledger(verification.verify)
    assert report.broken is not None
    assert report.broken.check == "checkpoint"
    assert report.broken.account_id in {company, university}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_checkpoint SET payload = replace(payload, '2026-11', '2026-12')",
        "UPDATE ledger_checkpoint SET signature = sha256('x') || sha256('y')",
        "UPDATE ledger_checkpoint_head SET version = version + 1",
        "DELETE FROM ledger_checkpoint_head WHERE number = 2",
        "DELETE FROM ledger_checkpoint WHERE number = 1",
    ],
)
async def test_every_falsification_of_a_checkpoint_is_found(ledger, statement):
    company = await ledger.institution(5)
    await take(ledger)
    await ledger.post(issue(company, 5))
    await take(ledger)
    await falsify(ledger, statement)
    report = await ledger(verification.verify)
    assert report.broken is not None
    assert report.broken.check == "checkpoint"


async def test_the_database_refuses_to_change_a_checkpoint(ledger):
    await ledger.institution(5)
    await take(ledger)
    for table in ("ledger_checkpoint", "ledger_checkpoint_head"):
        with pytest.raises(DBAPIError, match="is append-only"):
            await ledger.sql(f"DELETE FROM {table}")


async def test_the_job_signs_and_anyone_may_keep_the_newest(runtime, ledger, client_of):
    http = client_of(create_app(runtime.settings, runtime))
    url = "/api/v1/accrual/ledger/checkpoint"
    assert (await http.get(url)).status_code == 404
    company = await ledger.institution(5)
    await jobs.take_checkpoint(runtime)
    shown = (await http.get(url)).json()
    proof = await ledger(checkpoints.proof_of, company)
    assert {name: shown[name] for name in ("number", "payload", "signature", "public_key")} == {
        "number": proof.number, "payload": proof.payload,
        "signature": proof.signature, "public_key": proof.public_key,
    }  # fmt: skip
