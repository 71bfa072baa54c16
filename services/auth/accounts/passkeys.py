"""Passkeys: a key on the person's own device, or in his key ring. It answers no other origin, so
it cannot be phished, and what we keep of it is of no use to a thief.

A challenge is ours, five minutes young, for one purpose, and used up by the first answer, whatever
becomes of it. A counter only goes up.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import authenticators, rules, second_factor
from services.auth.accounts.authenticators import CHALLENGE_LIFETIME, RelyingParty, Unusable
from services.auth.accounts.models import Account, Passkey, PasskeyChallenge
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import PasskeyUse
from services.auth.accounts.second_factor import Owner
from services.auth.accounts.service import note
from services.auth.audit.service import Actor
from services.auth.errors import PASSKEY_UNUSABLE, PasskeyKnown, PasskeysFull, SecondFactorNeeded
from services.auth.messages.rules import FactorChange
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Invalid, NotFound

log = structlog.get_logger()

MOST_PASSKEYS: Final = 10
TAKEN_ALONG: Final = 10


@dataclass(frozen=True, slots=True)
class Registered:
    """`recovery_codes` come with the first second factor, and are shown this once."""

    passkey: Passkey
    recovery_codes: list[str] | None


async def begin(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    party: RelyingParty,
    owner: Owner,
    *,
    first_only: bool,
    actor: Actor,
    now: datetime,
) -> dict[str, Any]:
    """What a browser needs to make one. `first_only`: not beside another factor. Raises
    `SecondFactorPresent`, `PasskeysFull`, or `Invalid` (PW_CURRENT_WRONG)."""
    await second_factor.prove(sessions, vault, passwords, owner, actor=actor, now=now)
    async with sessions.begin() as session:
        account = await session.get_one(Account, owner.account_id)
        second_factor.refuse_another(account, first_only=first_only)
        if account.passkeys >= MOST_PASSKEYS:
            raise PasskeysFull(most=MOST_PASSKEYS)
        known = [one.credential_id for one in await listed(session, account.id)]
        challenge = await _new_challenge(session, PasskeyUse.REGISTRATION, account.id, now=now)
    return authenticators.creation_options(party, challenge, account.id, account.login_id, known)


async def register(
    sessions: Sessions,
    vault: Vault,
    party: RelyingParty,
    account_id: UUID,
    name: str,
    answer: Mapping[str, Any],
    *,
    first_only: bool,
    actor: Actor,
    now: datetime,
) -> Registered:
    """Keep a new passkey; from now on the password alone opens nothing. Raises `Invalid`
    (PASSKEY_UNUSABLE), `SecondFactorPresent`, `PasskeyKnown` or `PasskeysFull`."""
    try:
        read = authenticators.read_made(answer)
        challenge = await _take(
            sessions, authenticators.challenge_in(read), PasskeyUse.REGISTRATION, account_id, now
        )
        made = authenticators.verify_made(party, read, challenge)
    except Unusable as error:
        log.info("passkey_unusable", reason=str(error))
        refused = PASSKEY_UNUSABLE.at("/credential", field="credential")
        raise Invalid(errors=[refused]) from None
    async with sessions.begin() as session:
        account = await session.get_one(Account, account_id, with_for_update=True)
        second_factor.refuse_another(account, first_only=first_only)
        if account.passkeys >= MOST_PASSKEYS:
            raise PasskeysFull(most=MOST_PASSKEYS)
        passkey = await session.scalar(
            insert(Passkey)
            .values(
                account_id=account.id,
                name=name,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                synced=made.credential_backed_up,
            )
            .on_conflict_do_nothing(index_elements=["credential_id"])
            .returning(Passkey)
        )
        if passkey is None:
            raise PasskeyKnown
        codes = None
        if not account.has_second_factor:
            codes = await second_factor.new_recovery_codes(session, vault, account.id)
        account.passkeys += 1
        note(session, actor, account, "passkey.registered", after=_named(passkey))
        await second_factor.tell(session, vault, account, FactorChange.PASSKEY_ADDED)
    return Registered(passkey, codes)


async def listed(session: AsyncSession, account_id: UUID) -> Sequence[Passkey]:
    query = select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)
    return (await session.scalars(query)).all()


async def remove(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    owner: Owner,
    passkey_id: UUID,
    *,
    needed_by_operators: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Forget one's passkey. Raises `NotFound`, `Invalid`, or `SecondFactorNeeded` for the last
    second factor of somebody who has to have one."""
    await second_factor.prove(sessions, vault, passwords, owner, actor=actor, now=now)
    async with sessions.begin() as session:
        account = await session.get_one(Account, owner.account_id, with_for_update=True)
        passkey = await session.get(Passkey, passkey_id)
        if passkey is None or passkey.account_id != account.id:
            raise NotFound
        account.passkeys -= 1
        operating = account.role in rules.OPERATING_ROLES
        if needed_by_operators and operating and not account.has_second_factor:
            raise SecondFactorNeeded
        await session.delete(passkey)
        await second_factor.forget_needless_codes(session, account)
        note(session, actor, account, "passkey.removed", after=_named(passkey))
        await second_factor.tell(session, vault, account, FactorChange.PASSKEY_REMOVED)


async def ask(
    session: AsyncSession, party: RelyingParty, use: PasskeyUse, *, now: datetime
) -> dict[str, Any]:
    """What a browser needs to show one: the same for everyone, so it tells nothing of anybody."""
    challenge = await _new_challenge(session, use, None, now=now)
    return authenticators.request_options(party, challenge, alone=use is PasskeyUse.SIGN_IN)


async def recognise(
    sessions: Sessions,
    party: RelyingParty,
    answer: str,
    use: PasskeyUse,
    *,
    of: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> UUID | None:
    """The account whose passkey answered, and of no other account than `of` if that is given;
    None if the answer is not to be believed."""
    alone = use is PasskeyUse.SIGN_IN
    try:
        read = authenticators.read_shown(answer)
        challenge = await _take(sessions, authenticators.challenge_in(read), use, None, now)
        async with sessions() as session:
            query = select(Passkey).where(Passkey.credential_id == read.raw_id)
            passkey = await session.scalar(query)
        if passkey is None or passkey.account_id != (of or passkey.account_id):
            raise Unusable("nobody's")
        handle = read.response.user_handle
        if handle != passkey.account_id.bytes and (alone or handle is not None):
            raise Unusable("user handle")
        shown = authenticators.verify_shown(party, read, challenge, passkey.public_key, alone=alone)
    except Unusable as error:
        log.info("passkey_refused", reason=str(error))
        return None
    async with sessions.begin() as session:
        if await _count(session, passkey.id, shown.new_sign_count, now=now):
            return passkey.account_id
        if await session.get(Passkey, passkey.id) is None:
            log.info("passkey_refused", reason="removed meanwhile")
            return None
        account = await session.get_one(Account, passkey.account_id)
        note(session, actor, account, "passkey.copy_suspected", after=_named(passkey))
    return None


async def forget_challenges(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < before))


async def _count(session: AsyncSession, passkey_id: UUID, count: int, *, now: datetime) -> bool:
    """Move the counter on, unless it does not go up: then there is a copy of the key. Keys that
    are synced between devices do not count, they always say 0."""
    higher = or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0))
    moved = await session.execute(
        update(Passkey)
        .where(Passkey.id == passkey_id, higher)
        .values(sign_count=count, last_used_at=now)
        .returning(Passkey.id)
    )
    return moved.first() is not None


async def _new_challenge(
    session: AsyncSession, use: PasskeyUse, account_id: UUID | None, *, now: datetime
) -> bytes:
    """Each takes some that nobody answered along. Anybody can ask for one: so there are never many
    more than were asked for within their five minutes, which the gateway's limits bound."""
    expired = (
        select(PasskeyChallenge.challenge)
        .where(PasskeyChallenge.expires_at < now)
        .limit(TAKEN_ALONG)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.challenge.in_(expired)))
    challenge = secrets.token_bytes(32)
    session.add(
        PasskeyChallenge(
            challenge=challenge, use=use, account_id=account_id, expires_at=now + CHALLENGE_LIFETIME
        )
    )
    return challenge


async def _take(
    sessions: Sessions, shown: bytes, use: PasskeyUse, account_id: UUID | None, now: datetime
) -> bytes:
    """Use a challenge up, in a transaction of its own: a refusal must not give it back. Raises
    `Unusable` if it is none of ours, used, too old, or for something else."""
    async with sessions.begin() as session:
        taken: bytes | None = await session.scalar(
            delete(PasskeyChallenge)
            .where(
                PasskeyChallenge.challenge == shown,
                PasskeyChallenge.use == use,
                PasskeyChallenge.account_id.is_not_distinct_from(account_id),
                PasskeyChallenge.expires_at > now,
            )
            .returning(PasskeyChallenge.challenge)
        )
    if taken is None:
        raise Unusable("challenge")
    return taken


def _named(passkey: Passkey) -> dict[str, Any]:
    """What the audit trail keeps of one."""
    return {"passkey": str(passkey.id), "name": passkey.name}
