"""The catalogue of programmes and the rule sets behind hosted calls."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.errors import GrantOfAgency, RuleSetInvalid, RuleSetUnknown, RunElsewhere
from services.grants.expenses.rules import rule_findings
from services.grants.programmes import builtin
from services.grants.programmes.models import Bookmark, Event, Programme, RuleSetRow
from services.grants.programmes.rules import (
    CertificationRules,
    RuleSet,
    is_certification,
    parse,
    parse_certification,
)
from services.grants.proposals.models import Proposal
from shared.paging import PageRequest, paginate
from shared.problems import NotFound, Stale, StateConflict
from shared.tokens import Claims

CLOSING_SOON = timedelta(days=14)


def note(
    session: AsyncSession,
    kind: str,
    subject_id: UUID,
    action: str,
    caller: Claims | None,
    *,
    moved: tuple[str | None, str | None] = (None, None),
    reason: str | None = None,
) -> None:
    """Add the audit row of a move to the same transaction; without a caller the clock did it."""
    institution = caller.institution_id if caller else None
    session.add(
        Event(
            subject_kind=kind,
            subject_id=subject_id,
            action=action,
            from_state=moved[0],
            to_state=moved[1],
            actor_id=caller.sub if caller else "system",
            actor_institution_id=UUID(institution) if institution else None,
            reason=reason,
        )
    )


# Rule sets ---------------------------------------------------------------------------------------


async def load_shipped_rule_sets(session: AsyncSession) -> None:
    """Add the rule sets that come with the release; what is there stays as it was published."""
    for code in builtin.codes():
        body = builtin.text(code)
        rules = parse(body)
        if await session.get(RuleSetRow, (rules.code, rules.version)) is None:
            await add_rule_set(session, body, actor="release")


async def add_rule_set(session: AsyncSession, body: str, *, actor: str) -> RuleSetRow:
    """Register a version. Raises `RuleSetInvalid` with every finding, or `StateConflict` when
    this version exists with other content."""
    rules: RuleSet | CertificationRules
    if is_certification(body):
        rules = parse_certification(body)
    else:
        rules = parse(body)
        if wrong := rule_findings(rules):
            raise RuleSetInvalid(errors=wrong)
    digest = hashlib.sha256(body.encode()).hexdigest()
    statement = (
        insert(RuleSetRow)
        .values(code=rules.code, version=rules.version, body=body, sha256=digest, created_by=actor)
        .on_conflict_do_nothing()
    )
    await session.execute(statement)
    row = await session.get_one(RuleSetRow, (rules.code, rules.version))
    if row.sha256 != digest:
        raise StateConflict(state=f"{rules.code} v{rules.version}")
    return row


async def rule_set(session: AsyncSession, code: str, version: int) -> RuleSet:
    """A registered rule set, parsed once per process. Raises `RuleSetUnknown`."""
    return parsed(await rule_set_body(session, code, version))


@lru_cache(maxsize=64)
def parsed(body: str) -> RuleSet:
    """A registered rule set's text as rules; parsed once per process."""
    return parse(body)


async def rule_set_body(session: AsyncSession, code: str, version: int) -> str:
    """The text as it was published. Raises `RuleSetUnknown`."""
    row = await session.get(RuleSetRow, (code, version))
    if row is None:
        raise RuleSetUnknown(code=f"{code} v{version}")
    return row.body


@lru_cache(maxsize=64)
def parsed_certification(body: str) -> CertificationRules:
    return parse_certification(body)


async def rules_of(session: AsyncSession, programme: Programme) -> RuleSet:
    """The rule set of a hosted programme. Raises `RunElsewhere` for any other."""
    if programme.kind != "hosted":
        raise RunElsewhere
    return parsed(await _body_of(session, programme))


async def certification_rules(session: AsyncSession, programme: Programme) -> CertificationRules:
    """The rules of a certification. Raises `NotFound` for any other programme."""
    if programme.kind != "certification":
        raise NotFound
    return parsed_certification(await _body_of(session, programme))


async def judging_rules(
    session: AsyncSession, programme: Programme
) -> RuleSet | CertificationRules:
    """The rules by which a call's proposals or applications are judged. Raises `RunElsewhere`."""
    if programme.kind == "certification":
        return await certification_rules(session, programme)
    return await rules_of(session, programme)


async def published_rules(session: AsyncSession, programme_id: UUID) -> str:
    """What a published call goes by, word for word. Raises `RunElsewhere` where it is not ours."""
    programme = await published_programme(session, programme_id)
    if programme.kind == "external":
        raise RunElsewhere
    return await _body_of(session, programme)


async def _body_of(session: AsyncSession, programme: Programme) -> str:
    code, version = programme.rule_set_code, programme.rule_set_version
    assert code is not None  # ck_programme_hosted_has_rule_set
    assert version is not None
    return await rule_set_body(session, code, version)


async def rule_sets(session: AsyncSession) -> Sequence[RuleSetRow]:
    order = (RuleSetRow.code, RuleSetRow.version)
    return (await session.scalars(select(RuleSetRow).order_by(*order).limit(500))).all()


# Programmes --------------------------------------------------------------------------------------


async def create_programme(
    session: AsyncSession, values: dict[str, Any], caller: Claims, agency_id: UUID
) -> Programme:
    _refuse_grants_of_the_operator(values, caller)
    await _check_rule_set(session, values)
    programme = Programme(agency_id=agency_id, **values)
    session.add(programme)
    await session.flush()
    note(session, "programme", programme.id, "create", caller, moved=(None, "draft"))
    await session.refresh(programme)
    return programme


def _refuse_grants_of_the_operator(values: Mapping[str, Any], caller: Claims) -> None:
    """The operator certifies (M-061) and keeps the catalogue; a grant is an agency's (G-055)."""
    if values["kind"] == "hosted" and caller.institution_kind == "operator":
        raise GrantOfAgency


async def _check_rule_set(session: AsyncSession, values: dict[str, Any]) -> None:
    """The rule set named is there, and of the programme's kind. Raises `RuleSetUnknown`."""
    code, version = values["rule_set_code"], values["rule_set_version"]
    if code is None:
        return
    certifies = is_certification(await rule_set_body(session, code, version))
    if certifies != (values["kind"] == "certification"):
        raise RuleSetUnknown(code=f"{code} v{version}")


async def edit_programme(
    session: AsyncSession,
    programme_id: UUID,
    seen_version: int,
    values: dict[str, Any],
    caller: Claims,
    agency_id: UUID,
) -> Programme:
    """Change a draft; once published, applicants rely on what they read."""
    programme = await _own(session, programme_id, agency_id)
    if programme.version != seen_version:
        raise Stale
    if programme.state != "draft":
        raise StateConflict(state=programme.state)
    _refuse_grants_of_the_operator(values, caller)
    await _check_rule_set(session, values)
    for name, value in values.items():
        setattr(programme, name, value)
    programme.version += 1
    note(session, "programme", programme.id, "edit", caller)
    await session.flush()
    return programme


async def publish_programme(
    session: AsyncSession, programme_id: UUID, caller: Claims, agency_id: UUID, now: datetime
) -> Programme:
    programme = await _own(session, programme_id, agency_id)
    if programme.state != "draft":
        raise StateConflict(state=programme.state)
    programme.state, programme.published_at = "published", now
    programme.version += 1
    note(session, "programme", programme.id, "publish", caller, moved=("draft", "published"))
    await session.flush()
    return programme


async def withdraw_programme(
    session: AsyncSession, programme_id: UUID, caller: Claims, agency_id: UUID, reason: str
) -> Programme:
    """Take a programme out of the catalogue; proposals already received stay where they are."""
    programme = await _own(session, programme_id, agency_id)
    if programme.state == "withdrawn":
        raise StateConflict(state=programme.state)
    note(
        session,
        "programme",
        programme.id,
        "withdraw",
        caller,
        moved=(programme.state, "withdrawn"),
        reason=reason,
    )
    programme.state = "withdrawn"
    programme.version += 1
    await session.flush()
    return programme


async def _own(session: AsyncSession, programme_id: UUID, agency_id: UUID) -> Programme:
    """The agency's own programme, locked for the change. Another agency's is not found."""
    programme = await session.get(Programme, programme_id, with_for_update=True)
    if programme is None or programme.agency_id != agency_id:
        raise NotFound
    return programme


async def published_programme(session: AsyncSession, programme_id: UUID) -> Programme:
    programme = await session.get(Programme, programme_id)
    if programme is None or programme.state != "published":
        raise NotFound
    return programme


async def managed_programme(
    session: AsyncSession, programme_id: UUID, agency_id: UUID
) -> Programme:
    """The agency's own programme in any state; another agency's is not found."""
    programme = await find_programme(session, programme_id)
    if programme.agency_id != agency_id:
        raise NotFound
    return programme


async def find_programme(session: AsyncSession, programme_id: UUID) -> Programme:
    programme = await session.get(Programme, programme_id)
    if programme is None:
        raise NotFound
    return programme


async def list_programmes(
    session: AsyncSession,
    *,
    page: PageRequest,
    now: datetime,
    agency_id: UUID | None = None,
    bookmarked_by: UUID | None = None,
    joined_by: UUID | None = None,
    words: str | None = None,
    target: str | None = None,
    timing: str | None = None,
) -> tuple[Sequence[Programme], str | None, int]:
    """The catalogue, the one closing last first; with `agency_id` that agency's own, drafts too,
    with `joined_by` what that institution has a proposal in, even if it was called off (M-053)."""
    query: Select[Any] = select(Programme)
    if agency_id is not None:
        query = query.where(Programme.agency_id == agency_id)
    elif joined_by is not None:
        query = query.where(Programme.state != "draft")
    else:
        query = query.where(Programme.state == "published")
    if bookmarked_by is not None:
        marked = and_(
            Bookmark.programme_id == Programme.id, Bookmark.institution_id == bookmarked_by
        )
        query = query.where(exists().where(marked))
    if joined_by is not None:
        mine = and_(
            Proposal.programme_id == Programme.id,
            Proposal.institution_id == joined_by,
            Proposal.state != "withdrawn",
        )
        query = query.where(exists().where(mine))
    if words:
        query = query.where(Programme.name.icontains(words, autoescape=True))
    if target is not None:
        query = query.where(Programme.target.in_((target, "both")))
    if timing == "upcoming":
        query = query.where(Programme.opens_at > now)
    elif timing == "open":
        query = query.where(Programme.opens_at <= now, Programme.closes_at >= now)
    elif timing == "closing_soon":
        query = query.where(
            Programme.opens_at <= now,
            Programme.closes_at.between(now, now + CLOSING_SOON),
        )
    elif timing == "closed":
        query = query.where(Programme.closes_at < now)
    return await paginate(session, query, keys=[Programme.closes_at, Programme.id], page=page)


async def set_bookmark(
    session: AsyncSession, programme_id: UUID, institution_id: UUID, *, wanted: bool
) -> None:
    """Bookmark or not; saying it twice changes nothing (M-053)."""
    if wanted:
        await published_programme(session, programme_id)
        await session.execute(
            insert(Bookmark)
            .values(programme_id=programme_id, institution_id=institution_id)
            .on_conflict_do_nothing()
        )
    else:
        await session.execute(
            delete(Bookmark).where(
                Bookmark.programme_id == programme_id, Bookmark.institution_id == institution_id
            )
        )
