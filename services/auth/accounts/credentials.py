"""Credentials that lead to choosing a password: for a new account, and for a forgotten one.

The first way in is a link by default. The old convention "first password = id", which everyone
can guess, is there as a setting (M-001); it opens nothing but the choice of a password, and not
for long. Asking for a reset changes nothing by itself: the current password goes on working until
the new credential is used, so nobody can be locked out by somebody who only knows an id and a mail
address.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import devices, masking
from services.auth.accounts import rules, service, temporary
from services.auth.accounts.models import Account, OneTimeCredential, ResetRequest
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import OneTime, ResetChannel, Role, Status
from services.auth.accounts.throttle import Throttle, forgive_everywhere
from services.auth.audit.service import Actor
from services.auth.errors import CONTACT_REQUIRED, LinkUnusable
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Status as InstitutionStatus
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.vault import Vault
from shared.db import Sessions
from shared.jobs import enqueue
from shared.problems import Invalid

RESET_LIFETIME = timedelta(minutes=30)
RESET_TASK = "accounts.reset"


@dataclass(frozen=True, slots=True)
class InitialCredential:
    """How a new or reset account is entered: by `link`, or by its id as the password."""

    link: str | None
    expires_at: datetime | None
    sent_to: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The account behind a link, as its page shows it."""

    account: Account
    institution_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """What handing out credentials needs of the process. `legacy`: the first password is the id;
    `initial_lifetime`: how long a first way in stays open."""

    vault: Vault
    passwords: Passwords
    portal: str
    legacy: bool
    initial_lifetime: timedelta


async def give_initial(
    session: AsyncSession,
    desk: Desk,
    account: Account,
    institution: Institution,
    *,
    now: datetime,
) -> InitialCredential:
    """Give an account its first way in, or a new one: what led in before stops working.

    That is a link, sent to the account's registered address if it has one; or the login id as the
    password, where the installation keeps that convention (S1:146).
    """
    account.must_change_password = True
    account.password = None
    await service.withdraw_credentials(session, account.id)
    expires_at = now + desk.initial_lifetime
    if desk.legacy:
        ids = {account.id: account.login_id}
        await temporary.admit_ids(session, desk.vault, ids, expires_at=expires_at)
        return InitialCredential(None, expires_at, None)
    link = _link(session, desk, account, expires_at)
    if account.email is not None:
        letter = letters.activation_letter(
            account.email,
            login_id=account.login_id,
            institution=institution.name,
            link=link,
            hours=int(desk.initial_lifetime.total_seconds() // 3_600),
        )
        await messages.queue(session, desk.vault, letter)
    return InitialCredential(link, expires_at, masking.masked_email(account.email))


async def open_company_accounts(
    session: AsyncSession, desk: Desk, companies: Sequence[Institution], *, now: datetime
) -> None:
    """The lead accounts of newly registered companies: the login id is the business number. Nobody
    has told us an address of theirs, so where links are the way in, the operator hands one out."""
    rows = [
        {
            "login_id": company.brn,
            "institution_id": company.id,
            "role": Role.COMPANY,
            "name": company.name[:50],
        }
        for company in companies
    ]
    if not rows:
        return
    opening = insert(Account).values(rows).on_conflict_do_nothing()
    opened = await session.execute(opening.returning(Account.id, Account.login_id))
    ids = {row.id: row.login_id for row in opened}
    if desk.legacy and ids:
        expires_at = now + desk.initial_lifetime
        await temporary.admit_ids(session, desk.vault, ids, expires_at=expires_at)


async def open_link(session: AsyncSession, vault: Vault, token: str, *, now: datetime) -> Opening:
    """What a link opens; raises `LinkUnusable` for one that was used, expired or made up."""
    found = await session.scalar(
        select(OneTimeCredential).where(
            OneTimeCredential.mac.in_(_link_macs(vault, token)),
            OneTimeCredential.kind == OneTime.LINK,
            OneTimeCredential.used_at.is_(None),
            OneTimeCredential.expires_at > now,
        )
    )
    account = await session.get(Account, found.account_id) if found is not None else None
    if found is None or account is None or account.status != Status.ACTIVE:
        raise LinkUnusable
    institution = await session.get_one(Institution, account.institution_id)
    if institution.status == InstitutionStatus.SUSPENDED:
        raise LinkUnusable
    return Opening(account, institution.name, found.expires_at)


@dataclass(frozen=True, slots=True)
class Activation:
    """A new password for the account behind a link."""

    token: str
    password: str
    confirm: str
    contact_phone: str | None


async def activate(
    sessions: Sessions, desk: Desk, activation: Activation, *, actor: Actor, now: datetime
) -> str:
    """Set the password behind a link, once; returns the login id. Raises `LinkUnusable`, or
    `Invalid` with all findings: then the link still works."""
    async with sessions() as session:
        opening = await open_link(session, desk.vault, activation.token, now=now)
    account = opening.account
    findings = rules.password_findings(activation.password, activation.confirm, account.login_id)
    if account.password is None and not (activation.contact_phone or account.phone):
        findings.append(CONTACT_REQUIRED.at("/contact_phone", field="contact_phone"))
    if findings:
        raise Invalid(errors=findings)
    hashed = await desk.passwords.hash(activation.password)
    async with sessions.begin() as session:
        taken = await session.execute(
            update(OneTimeCredential)
            .where(
                OneTimeCredential.mac.in_(_link_macs(desk.vault, activation.token)),
                OneTimeCredential.used_at.is_(None),
            )
            .values(used_at=now)
            .returning(OneTimeCredential.id)
        )
        if taken.first() is None:  # somebody else used it a moment ago
            raise LinkUnusable
        locked = await session.get_one(Account, account.id, with_for_update=True)
        if activation.contact_phone:
            await service.set_contact(session, locked, activation.contact_phone)
        await forgive_everywhere(session, desk.vault, locked.login_id)
        await service.set_password(
            session,
            locked,
            hashed,
            must_change=False,
            actor=actor.known_as(locked.id, locked.institution_id),
            now=now,
        )
    return locked.login_id


# --- M-004 forgotten passwords ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What somebody says who forgot a password: an id, and a contact he thinks is registered."""

    login_id: str
    channel: ResetChannel
    contact: str


async def ask_for_reset(
    sessions: Sessions,
    vault: Vault,
    forgotten: Forgotten,
    *,
    device: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Note the request and answer at once, the same for everyone: whether the id exists and the
    contact is registered is looked into by the worker. Raises `LoginThrottled`. `device` is the
    cookie of a device that logged in before."""
    login_id = rules.login_id_of(forgotten.login_id)
    known = devices.known(vault, login_id, device)
    place = Throttle(
        vault,
        f"reset:{login_id}",
        known or rules.place_of(actor.address),
        known_device=known is not None,
    )
    content = orjson.dumps([login_id, forgotten.channel, forgotten.contact])
    async with sessions.begin() as session:
        await place.reserve(session, now=now)
        request = ResetRequest(content=vault.seal(content))
        session.add(request)
        await session.flush()  # the job needs the id
        await enqueue(session, RESET_TASK, request_id=str(request.id))


async def handle_reset(sessions: Sessions, desk: Desk, request_id: UUID, *, now: datetime) -> None:
    """Send a link or a temporary password to a *registered* contact; else do nothing."""
    async with sessions.begin() as session:
        request = await session.get(ResetRequest, request_id, with_for_update=True)
        if request is None:
            return
        login_id, channel, contact = orjson.loads(desk.vault.unseal(request.content))
        await session.delete(request)
        account = await service.by_login_id(session, login_id)
        if account is None or account.status != Status.ACTIVE:
            return
        if channel == ResetChannel.EMAIL and _same_email(account.email, contact):
            link = _link(session, desk, account, now + RESET_LIFETIME)
            letter = letters.reset_letter(
                str(account.email), login_id=login_id, link=link, minutes=_minutes(RESET_LIFETIME)
            )
        elif channel == ResetChannel.SMS and _same_phone(account.mobile, contact):
            password = await temporary.make(
                session, desk.vault, account.id, expires_at=now + RESET_LIFETIME
            )
            letter = letters.temporary_password_text(
                str(account.mobile), password=password, minutes=_minutes(RESET_LIFETIME)
            )
        else:
            return
        asker = Actor(client_id="auth").known_as(account.id, account.institution_id)
        service.note(session, asker, account, "account.reset_sent", after={"channel": channel})
        await messages.queue(session, desk.vault, letter)


async def purge(session: AsyncSession, before: datetime) -> None:
    """Forget credentials and requests long past their use."""
    await session.execute(delete(OneTimeCredential).where(OneTimeCredential.expires_at < before))
    await session.execute(delete(ResetRequest).where(ResetRequest.created_at < before))


def _link(session: AsyncSession, desk: Desk, account: Account, expires_at: datetime) -> str:
    """A new link. The token stands behind `#`, which browsers send to no server and log nowhere."""
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeCredential(
            account_id=account.id,
            kind=OneTime.LINK,
            mac=_link_macs(desk.vault, token)[0],
            expires_at=expires_at,
        )
    )
    return f"{desk.portal}/activate#token={token}"


def _link_macs(vault: Vault, token: str) -> list[bytes]:
    return vault.macs("one-time-link", token.encode("utf-8", "surrogatepass"))


def _same_email(registered: str | None, given: str) -> bool:
    return registered is not None and registered.casefold() == given.strip().casefold()


def _same_phone(registered: str | None, given: str) -> bool:
    return bool(_digits(registered or "")) and _digits(registered or "") == _digits(given)


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


def _minutes(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds() // 60)
