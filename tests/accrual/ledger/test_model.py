"""The ledger beside a model of it in memory: whatever is asked, both answer the same.

Hypothesis makes up the requests, and shortens those that tell the two apart.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from services.accrual.ledger import errors, service, verification
from services.accrual.ledger.rules import (
    ISSUANCE,
    REDEMPTION,
    Balance,
    Kind,
    NewReversal,
    NewTransfer,
    is_system,
)
from shared.db import Database
from shared.problems import Problem
from tests.accrual.ledger.conftest import Ledger, broken_books, move

NAMES = range(4)
names = st.sampled_from(NAMES)
points = st.integers(1, 120)


@dataclass
class Books:
    """An account as the rules have it: what is available follows from the other three."""

    balance: int = 0
    held: int = 0
    debt: int = 0

    @property
    def available(self) -> int:
        return self.balance - self.held + self.debt


@dataclass
class Model:
    """Raises what the ledger is expected to raise, and then has changed nothing."""

    books: dict[UUID, Books] = field(default_factory=dict)
    reversed: dict[UUID, int] = field(default_factory=dict)

    def post(self, *moves: NewTransfer, released: int = 0) -> None:
        left = {name: replace(one) for name, one in self.books.items()}
        for one in moves:
            assert one.amount is not None
            assert one.debit_account is not None
            assert one.credit_account is not None
            overdraws = one.kind == Kind.REVOCATION
            guarded = not overdraws and one.pending_id is None
            taken, held = one.amount, -released
            if one.state == "pending":
                taken, held = 0, one.amount
            elif one.state == "voided":
                taken = 0
            self._move(left, one.debit_account, -taken, held, guarded=guarded, debt=overdraws)
            if taken:
                self._move(left, one.credit_account, taken, 0, guarded=False, debt=False)
        self.books = left

    @staticmethod
    def _move(
        left: dict[UUID, Books], name: UUID, amount: int, held: int, *, guarded: bool, debt: bool
    ) -> None:
        if is_system(name):
            return
        one = left.setdefault(name, Books())
        if guarded and one.balance + amount < one.held + held:
            raise errors.Insufficient(available=max(0, one.balance - one.held))
        one.balance += amount
        one.held += held
        missing = max(0, one.held - one.balance)
        one.debt = missing if debt else min(one.debt, missing)


class Machine(RuleBasedStateMachine):
    """Each rule asks both, and compares what they say; after each, what they hold."""

    posted = Bundle("posted")
    holds = Bundle("holds")
    asked = Bundle("asked")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.ledger = Ledger(self.database.sessions)
        self.accounts = [uuid4() for _ in NAMES]
        self.model = Model()

    def teardown(self) -> None:
        report = self.runner.run(self.ledger(verification.verify))
        broken = self.runner.run(broken_books(self.ledger))
        self.runner.run(self.database.close())
        self.runner.close()
        assert report.ok, report.broken
        assert broken == []

    def both(self, expected: Callable[[], None], use_case: Any, *args: Any, **named: Any) -> bool:
        """Whether it was done. Refusals must be of one kind, and name the same points."""
        wanted = answered = None
        fresh = False
        try:
            expected()
        except Problem as problem:
            wanted = problem
        try:
            fresh = bool(self.runner.run(self.ledger(use_case, *args, **named)))
        except Problem as problem:
            answered = problem
        assert type(answered) is type(wanted), f"{answered!r} instead of {wanted!r}"
        if isinstance(wanted, errors.Insufficient) and answered is not None:
            assert answered.params["available"] == wanted.params["available"]
        assert fresh is (wanted is None)
        return fresh

    def post(self, *moves: NewTransfer) -> bool:
        return self.both(lambda: self.model.post(*moves), service.post_transfers, moves)

    @rule(target=posted, payee=names, amount=points)
    def earn(self, payee: int, amount: int) -> Any:
        one = move(ISSUANCE, self.accounts[payee], amount, kind=Kind.ACCRUAL)
        return one if self.post(one) else multiple()

    @rule(target=posted, payer=names, payee=st.none() | names, amount=points)
    def spend(self, payer: int, payee: int | None, amount: int) -> Any:
        if payer == payee:
            return multiple()
        one = move(
            self.accounts[payer], REDEMPTION if payee is None else self.accounts[payee], amount
        )
        return one if self.post(one) else multiple()

    @rule(moves=st.lists(st.tuples(names, names, points), min_size=2, max_size=6))
    def many(self, moves: list[tuple[int, int, int]]) -> None:
        batch = [
            move(self.accounts[a] if a != b else ISSUANCE, self.accounts[b], amount)
            for a, b, amount in moves
        ]
        self.post(*batch)

    @rule(target=holds, payer=names, payee=names, amount=points)
    def hold(self, payer: int, payee: int, amount: int) -> Any:
        if payer == payee:
            return multiple()
        one = move(self.accounts[payer], self.accounts[payee], amount, state="pending")
        done = self.both(lambda: self.model.post(one), service.hold, one)
        return one if done else multiple()

    @rule(target=posted, hold=consumes(holds), part=st.integers(1, 100))
    def post_hold(self, hold: NewTransfer, part: int) -> Any:
        assert hold.amount is not None
        amount = max(1, hold.amount * part // 100)
        ending = replace(hold, id=uuid4(), state="posted", amount=amount, pending_id=hold.id)
        self.both(
            lambda: self.model.post(ending, released=hold.amount),
            service.post_hold, id=ending.id, hold_id=hold.id, amount=amount,
        )  # fmt: skip
        return ending

    @rule(hold=consumes(holds), expires=st.booleans())
    def release(self, hold: NewTransfer, expires: bool) -> None:
        ending = replace(hold, state="voided", pending_id=hold.id)
        expected = lambda: self.model.post(ending, released=hold.amount)  # noqa: E731
        if expires:
            self.both(expected, service.expire_hold, hold.id)
        else:
            self.both(expected, service.void_hold, id=uuid4(), hold_id=hold.id)

    @rule(payer=names, amount=points)
    def void_what_has_not_arrived(self, payer: int, amount: int) -> None:
        late = move(self.accounts[payer], REDEMPTION, amount)
        self.both(lambda: None, service.void_hold, id=uuid4(), hold_id=late.id)

        def refuse() -> None:
            raise errors.HoldVoided

        self.both(refuse, service.hold, late)

    @rule(original=posted, part=st.integers(1, 130), revokes=st.booleans())
    def take_back(self, original: NewTransfer, part: int, revokes: bool) -> None:
        assert original.amount is not None
        amount = max(1, original.amount * part // 100)
        kind = Kind.REVOCATION if revokes else Kind.REVERSAL
        back = move(original.credit_account, original.debit_account, amount, kind=kind)  # type: ignore[arg-type]
        before = self.model.reversed.get(original.id, 0)

        def expected() -> None:
            if before + amount > (original.amount or 0):
                raise errors.ReversedAlready
            self.model.post(back)
            self.model.reversed[original.id] = before + amount

        reversal = NewReversal(back.id, original.id, amount)
        self.both(expected, service.reverse_transfers, [reversal], reason="-", kind=kind)

    @rule(again=posted, other=points)
    def ask_again(self, again: NewTransfer, other: int) -> None:
        """The same is a replay, other content under the same id a conflict: neither does harm."""
        assert self.runner.run(self.ledger(service.post_transfers, [again])) == 0
        if other != again.amount:

            def refuse() -> None:
                raise errors.TransferConflict

            self.both(refuse, service.post_transfers, [replace(again, amount=other)])

    @invariant()
    def accounts_hold_the_same(self) -> None:
        for name in self.accounts:
            expected = self.model.books.get(name, Books())
            found: Balance = self.runner.run(self.ledger(service.account, name))
            assert (found.balance, found.held, found.debt, found.available) == (
                expected.balance, expected.held, expected.debt, expected.available,
            )  # fmt: skip


def test_whatever_is_asked_the_ledger_answers_as_the_model_does(database):
    run_state_machine_as_test(
        lambda: Machine(database("accrual")),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
