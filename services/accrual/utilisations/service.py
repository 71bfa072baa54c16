"""Use cases of utilisation: ask, withdraw, confirm, reject.

A request holds the mileage that can be deducted at most, in its own transaction. Confirming posts
what the steps that scored cost, and releases the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.clients import Programmes, Registry
from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import REDEMPTION, Kind, NewTransfer
from services.accrual.utilisations import errors
from services.accrual.utilisations.models import NUMBERS, Utilisation, UtilisationEvent
from services.accrual.utilisations.rules import BonusRule, Certificate, Programme, State
from shared.caller import institution_of
from shared.clock import seoul_day
from shared.logs import trace_id
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, PermissionDenied, StateConflict
from shared.tokens import Claims

SEES_ALL: Final = frozenset({"operator", "ministry"})
RUNS_PROGRAMMES: Final = frozenset({"agency", "operator"})
NAMES: Final = {
    State.REQUESTED: "신청",
    State.CONFIRMED: "확정",
    State.REJECTED: "반려",
    State.WITHDRAWN: "철회",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    programme_id: UUID
    mileage: int
    certificate_number: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    programme: Programme
    rule: BonusRule
    steps: int
    held: int
    available: int
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Offices:
    """The other services a request needs."""

    programmes: Programmes
    registry: Registry


async def preview(
    session: AsyncSession, offices: Offices, claims: Claims, wanted: Wanted, *, now: datetime
) -> Preview:
    """What a request would do; raises what it would raise.

    Whether the institution is certified today is asked where the programme's rule depends on it.
    Without an answer there is no request (`UpstreamUnavailable`): nothing is guessed.
    """
    institution_id = _own(claims)
    programme = await offices.programmes.programme(wanted.programme_id)
    if not programme.takes_requests(now):
        raise errors.ProgrammeNotOpen
    rule = programme.rule
    if rule is None:
        raise errors.NoBonus
    today, certificate = seoul_day(now), None
    if rule.asks_for_certificate:
        certificate = await offices.programmes.certificate(institution_id, today)
    rule = rule.applied_to(certified=certificate is not None)
    available = (await ledger.account(session, institution_id)).available
    steps = rule.steps(wanted.mileage)
    findings = _mileage_findings(rule, steps=steps, available=available)
    findings += _certificate_findings(claims, wanted, rule, certificate, today)
    if findings:
        raise Invalid(errors=findings)
    return Preview(programme, rule, steps, rule.cost(steps), available, certificate)


async def request(
    session: AsyncSession, offices: Offices, claims: Claims, wanted: Wanted, *, now: datetime
) -> Utilisation:
    """Ask for a programme's points, and hold what they may cost.

    Raises `ProgrammeNotFound`, `ProgrammeNotOpen`, `NoBonus`, `Invalid` with all findings,
    `AlreadyRequested`, `Insufficient` if points went elsewhere at this moment, `PermissionDenied`.
    """
    seen = await preview(session, offices, claims, wanted, now=now)
    institution = await offices.registry.institution(_own(claims))
    number = await session.scalar(select(NUMBERS.next_value()))
    made: Utilisation | None = await session.scalar(
        insert(Utilisation)
        .values(
            number=f"U{seoul_day(now).year}-{number:06}",
            institution_id=institution.institution_id,
            institution_name=institution.name,
            programme_id=wanted.programme_id,
            programme_name=seen.programme.name,
            agency_id=seen.programme.agency_id,
            rule=seen.rule.as_json(),
            mileage=wanted.mileage,
            steps=seen.steps,
            held=seen.held,
            certificate_number=seen.certificate.number if seen.certificate else None,
            requested_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Utilisation)
    )
    if made is None:
        raise errors.AlreadyRequested
    if made.held:
        await ledger.hold(session, _hold(made))
    certified = seen.certificate
    note = f"우수기관 인증 {certified.number} ({certified.valid_until}까지)" if certified else None
    _record(session, claims, made, "request", note=note)
    return made


async def withdraw(
    session: AsyncSession, claims: Claims, utilisation_id: UUID, *, now: datetime
) -> Utilisation:
    """Take a request back. Raises `UtilisationNotFound`, `StateConflict`."""
    _own(claims)
    one = await _undecided(session, claims, utilisation_id)
    await _release(session, one)
    _decide(session, claims, one, State.WITHDRAWN, note=None, now=now)
    return one


async def reject(
    session: AsyncSession, claims: Claims, utilisation_id: UUID, *, reason: str, now: datetime
) -> Utilisation:
    """Raises `UtilisationNotFound`, `StateConflict`."""
    one = await _undecided(session, claims, utilisation_id)
    await _release(session, one)
    _decide(session, claims, one, State.REJECTED, note=reason, now=now)
    return one


async def confirm(
    session: AsyncSession, claims: Claims, utilisation_id: UUID, *, steps: int, now: datetime
) -> Utilisation:
    """So many steps scored: deduct those, release the rest.

    Raises `UtilisationNotFound`, `StateConflict`, `Invalid` (STEPS_EXCEEDED).
    """
    one = await _undecided(session, claims, utilisation_id)
    if steps > one.steps:
        raise Invalid(
            errors=[
                errors.STEPS_EXCEEDED.at("/steps_scored", field="steps_scored", steps=one.steps)
            ]
        )
    cost = BonusRule.of(one.rule).cost(steps)
    if cost:
        hold = _hold(one)
        await ledger.post_hold(session, id=uuid5(one.id, "deducted"), hold_id=hold.id, amount=cost)
    else:
        await _release(session, one)
    one.steps_scored, one.deducted = steps, cost
    _decide(session, claims, one, State.CONFIRMED, note=None, now=now)
    return one


async def find(session: AsyncSession, claims: Claims, utilisation_id: UUID) -> Utilisation:
    """Raises `UtilisationNotFound`, for another institution's request too."""
    query = select(Utilisation).where(Utilisation.id == utilisation_id, _visible_to(claims))
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise errors.UtilisationNotFound
    return found


async def utilisations(
    session: AsyncSession,
    claims: Claims,
    page: PageRequest,
    *,
    state: str | None = None,
    programme_id: UUID | None = None,
    institution_id: UUID | None = None,
) -> tuple[Sequence[Utilisation], str | None, int]:
    """Those the caller may see, the newest first; the next cursor; how many there are."""
    query = select(Utilisation).where(_visible_to(claims))
    for column, value in (
        (Utilisation.state, state),
        (Utilisation.programme_id, programme_id),
        (Utilisation.institution_id, institution_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return await paginate(session, query, keys=[Utilisation.id], page=page)


async def history(
    session: AsyncSession, claims: Claims, utilisation_id: UUID, page: PageRequest
) -> tuple[Sequence[UtilisationEvent], str | None, int]:
    """Who did what, the newest first. Raises `UtilisationNotFound`."""
    one = await find(session, claims, utilisation_id)
    query = select(UtilisationEvent).where(UtilisationEvent.utilisation_id == one.id)
    return await paginate(session, query, keys=[UtilisationEvent.id], page=page)


def _mileage_findings(rule: BonusRule, *, steps: int, available: int) -> list[Finding]:
    needed = rule.mileage_for(steps)
    if steps == 0:
        one_step = rule.mileage_per_step
        return [errors.BELOW_ONE_STEP.at("/mileage", field="mileage", step=one_step)]
    if available < needed:
        # Where nothing is deducted the mileage must be there all the same.
        kind = errors.MILEAGE_SHORT
        return [kind.at("/mileage", field="mileage", available=available, needed=needed)]
    return []


def _certificate_findings(
    claims: Claims,
    wanted: Wanted,
    rule: BonusRule,
    certificate: Certificate | None,
    today: date,
) -> list[Finding]:
    if rule.certified_only and claims.institution_kind != "company":
        return [errors.NOT_A_COMPANY.at("/programme_id", field="programme_id")]
    if rule.certified_only and certificate is None:
        return [errors.NOT_CERTIFIED.at("/programme_id", field="programme_id", on=str(today))]
    given = wanted.certificate_number
    if certificate is not None and given is not None and given != certificate.number:
        at = "/certificate_number"
        kind = errors.CERTIFICATE_OTHER
        return [kind.at(at, field="certificate_number", number=certificate.number)]
    return []


def _own(claims: Claims) -> UUID:
    """The institution that spends. Raises `PermissionDenied` for whoever may not spend for it."""
    if claims.fields is not None or claims.test_mode:
        raise PermissionDenied
    return institution_of(claims)


def _visible_to(claims: Claims) -> ColumnElement[bool]:
    """One's own requests, or those for the programmes of one's agency. The operator has officers
    like an agency's (M-061): seeing all takes the permission to read ledgers, which they lack."""
    if claims.fields is not None or claims.test_mode:
        raise PermissionDenied
    if claims.institution_kind in SEES_ALL and "ledger:read" in claims.scope:
        return true()
    if claims.institution_kind in RUNS_PROGRAMMES:
        return Utilisation.agency_id == institution_of(claims)
    return Utilisation.institution_id == institution_of(claims)


async def _undecided(session: AsyncSession, claims: Claims, utilisation_id: UUID) -> Utilisation:
    """Locked, so that of two decisions at once the second sees the first."""
    query = (
        select(Utilisation)
        .where(Utilisation.id == utilisation_id, _visible_to(claims))
        .with_for_update()
    )
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise errors.UtilisationNotFound
    if found.state != State.REQUESTED:
        raise StateConflict(state=NAMES[State(found.state)])
    return found


def _decide(
    session: AsyncSession,
    claims: Claims,
    one: Utilisation,
    state: State,
    *,
    note: str | None,
    now: datetime,
) -> None:
    one.state, one.note, one.decided_at = state, note, now
    _record(session, claims, one, state, note=note)


async def _release(session: AsyncSession, one: Utilisation) -> None:
    if one.held:
        await ledger.void_hold(session, id=uuid5(one.id, "released"), hold_id=_hold(one).id)


def _hold(one: Utilisation) -> NewTransfer:
    return NewTransfer(
        id=uuid5(one.id, "hold"),
        kind=Kind.UTILISATION,
        debit_account=one.institution_id,
        credit_account=REDEMPTION,
        amount=one.held,
        title=one.programme_name,
        reference=f"utilisation:{one.number}",
    )


def _record(
    session: AsyncSession, claims: Claims, one: Utilisation, action: str, *, note: Any = None
) -> None:
    session.add(
        UtilisationEvent(
            utilisation_id=one.id,
            by=claims.sub,
            role=claims.role,
            action=action,
            note=note,
            trace_id=trace_id.get(),
        )
    )
