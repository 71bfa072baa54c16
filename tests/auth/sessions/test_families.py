"""Refresh families under any order of events: tabs, lost answers, thieves, time, log-outs.

Hypothesis drives the real service on the real database, with time handed in, and compares every
answer with a small model of what ought to happen.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from services.auth.accounts.models import Account
from services.auth.audit.service import Actor
from services.auth.institutions.models import Institution
from services.auth.sessions import rules, service
from services.auth.sessions.models import LoginSession
from services.auth.sessions.rules import Verdict
from services.auth.sessions.service import Lifetimes
from services.auth.vault import Vault
from shared.db import Database

# Short enough that one run can reach both ends.
LIFETIMES = Lifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=1))
VAULT = Vault(peppers=["p" * 32], encryption_keys=["k" * 32])
START = datetime(2027, 3, 2, tzinfo=UTC)


async def keep(family, session):
    session.add(family)


def machine(runner, database, account_id):
    class Families(RuleBasedStateMachine):
        """One family. `tokens` holds (generation, token) of everything that was ever given out:
        whoever shows one may be a tab, a browser that lost an answer, or a thief."""

        tokens = Bundle("tokens")

        def __init__(self):
            super().__init__()
            self.now = START
            self.generation = 1
            self.rotated_at = START
            self.ended = False

        def run(self, work):
            async def in_transaction():
                async with database.sessions.begin() as session:
                    return await work(session)

            return runner.run(in_transaction())

        @initialize(target=tokens)
        def log_in(self):
            family = LoginSession(
                account_id=account_id,
                client_id="portal",
                secret=b"s" * 32,
                started_at=self.now,
                rotated_at=self.now,
                expires_at=self.now + LIFETIMES.absolute,
            )
            self.run(partial(keep, family))
            self.family_id = family.id
            token = service.first_token(VAULT, family.id, family.secret)
            return (1, token)

        @rule(target=tokens, shown=tokens)
        def refresh(self, shown):
            generation, token = shown
            answer = self.run(
                lambda session: service.refresh(
                    session,
                    VAULT,
                    token,
                    client_id="portal",
                    now=self.now,
                    lifetimes=LIFETIMES,
                    actor=Actor(),
                )
            )
            expected = self.expected(generation)
            assert answer.verdict is expected
            assert (answer.token is not None) == (expected in {Verdict.ROTATE, Verdict.REPEAT})
            if expected is Verdict.ROTATE:
                self.generation += 1
                self.rotated_at = self.now
            if expected is Verdict.REUSE:
                self.ended = True
            if answer.token is None:
                return multiple()
            assert rules.parse(answer.token).generation == self.generation
            return (self.generation, answer.token)

        def expected(self, generation):
            dead = self.now >= START + LIFETIMES.absolute
            if self.ended or dead or self.now >= self.rotated_at + LIFETIMES.idle:
                return Verdict.OVER
            if generation == self.generation:
                return Verdict.ROTATE
            fresh = self.now - self.rotated_at <= timedelta(seconds=10)
            if generation == self.generation - 1 and fresh:
                return Verdict.REPEAT
            return Verdict.REUSE

        @rule(seconds=st.sampled_from([1, 9, 10, 11, 600, 1_799, 1_800]))
        def time_passes(self, seconds):
            self.now += timedelta(seconds=seconds)

        @precondition(lambda self: self.generation >= 3)  # else few runs would get that far
        @rule(locked=st.booleans())
        def the_session_is_ended(self, locked):
            def end(session):
                if locked:
                    return service.end_all(session, account_id, reason="locked", now=self.now)
                return service.end(session, [self.family_id], reason="logout", now=self.now)

            self.run(end)
            self.ended = True

        @invariant()
        def one_generation_is_current(self):
            row = self.run(
                lambda session: session.scalar(
                    select(LoginSession).where(LoginSession.id == self.family_id)
                )
            )
            assert row.generation == self.generation
            assert (row.ended_at is not None) == self.ended

    return Families


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


def test_no_order_of_events_breaks_a_family(database, runner):
    db = Database(database("auth"))

    async def account() -> Account:
        async with db.sessions.begin() as session:
            institution = Institution(kind="university", name="시험대학교")
            session.add(institution)
            await session.flush()
            account = Account(
                login_id="maru", institution_id=institution.id, role="university", name="시험"
            )
            session.add(account)
        return account

    account_id = runner.run(account()).id
    try:
        run_state_machine_as_test(
            machine(runner, db, account_id),
            settings=settings(
                max_examples=100,
                stateful_step_count=20,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        runner.run(db.close())
