"""Approval and posting, in one transaction; and revocation, its reverse.

Each company receives its floored points, the university the sum of the floors (M-019). Ids of
transfers are derived from the application, so that whatever is repeated posts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import audit, registry_names
from services.accrual.applications.bounds import bounded
from services.accrual.applications.checks import Verdict
from services.accrual.applications.errors import MileageChanged, SameApprover
from services.accrual.applications.models import (
    Application,
    ApplicationCompany,
    Claim,
    ContractCredit,
)
from services.accrual.applications.remarks import remarks
from services.accrual.applications.review import held, recompute
from services.accrual.applications.submission import release_claims
from services.accrual.clients import Company, Registry
from services.accrual.errors import ReasonRequired
from services.accrual.ledger.rules import ISSUANCE, Kind, NewReversal, NewTransfer
from services.accrual.ledger.service import post_transfers, reverse_transfers
from services.accrual.settings import Settings
from shared.problems import Invalid, Stale
from shared.tokens import Claims

UNIVERSITY = "university"


@dataclass(frozen=True, slots=True)
class Approval:
    """What an approval does: the state it leads to, and the points of each party."""

    application: Application
    verdict: Verdict
    state: str
    second_approval: bool


async def preview(
    session: AsyncSession, claims: Claims, application_id: UUID, *, settings: Settings
) -> Approval:
    """What `approve` would do now. Changes nothing."""
    application = await held(session, claims, application_id, action="approve")
    _not_the_same_approver(claims, application)
    verdict = await recompute(session, application, max_rows=settings.max_rows, keep=False)
    verdict = verdict.with_findings(await remarks(session, application))
    second = _needs_second(application, verdict, settings)
    return Approval(application, verdict, "approved" if second else "posted", second)


async def approve(
    session: AsyncSession,
    claims: Claims,
    registry: Registry,
    application_id: UUID,
    *,
    seen: int | None,
    now: datetime,
    settings: Settings,
) -> Approval:
    """Approve, and post unless a second approval is needed.

    Raises `Invalid` (a check fails by now), `MileageChanged`, `SelfReview`, `SameApprover`,
    `ClaimedByOther`, `StateConflict`, `NotFound`, `UpstreamUnavailable`.
    """
    # Companies become institutions at the registry first: no lock is held across that call.
    names = await _company_names(session, application_id)
    companies = await registry.companies(names, create=True)
    application = await held(session, claims, application_id, action="approve")
    _not_the_same_approver(claims, application)
    await _open_contracts(session, application)
    verdict = await recompute(session, application, max_rows=settings.max_rows, lock_contracts=True)
    await registry_names.keep(session, application.id, companies)
    verdict = verdict.with_findings(await remarks(session, application))
    if not verdict.is_valid:
        raise Invalid(errors=bounded(verdict.findings), total=len(verdict.findings))
    if seen is not None and seen != application.mileage:
        raise MileageChanged(seen=seen, now=application.mileage)
    second = _needs_second(application, verdict, settings)
    if application.state == "in_review":
        application.approved_by = claims.sub
        application.approved_at = now
        await audit.apply_move(session, claims, application, "approve", mileage=application.mileage)
    if not second:
        await _post(session, claims, application, verdict, companies, now)
    return Approval(application, verdict, application.state, second)


async def revoke(
    session: AsyncSession, claims: Claims, application_id: UUID, *, reason: str, now: datetime
) -> Application:
    """Take posted mileage back from both parties, even below zero (M-051)."""
    application = await held(session, claims, application_id, action="revoke")
    if not reason.strip():
        raise ReasonRequired
    companies = await session.scalars(
        select(ApplicationCompany).where(
            ApplicationCompany.application_id == application_id, ApplicationCompany.mileage > 0
        )
    )
    parties = [UNIVERSITY, *(company.brn for company in companies)]
    await reverse_transfers(
        session,
        [
            NewReversal(uuid5(application_id, f"revoke:{party}"), uuid5(application_id, party))
            for party in parties
        ],
        reason=reason,
        kind=Kind.REVOCATION,
    )
    await _take_back_contracts(session, application)
    await release_claims(session, application)
    application.reason = reason
    await audit.apply_move(
        session, claims, application, "revoke", reason=reason, mileage=application.mileage
    )
    return application


def _not_the_same_approver(claims: Claims, application: Application) -> None:
    if application.state == "approved" and application.approved_by == claims.sub:
        raise SameApprover


def _needs_second(application: Application, verdict: Verdict, settings: Settings) -> bool:
    total = verdict.checked.assessment.total
    return application.state == "in_review" and total >= settings.second_approval_from


async def _company_names(session: AsyncSession, application_id: UUID) -> dict[str, str]:
    found = await session.execute(
        select(ApplicationCompany.brn, ApplicationCompany.name).where(
            ApplicationCompany.application_id == application_id
        )
    )
    return dict(found.all())


async def _post(
    session: AsyncSession,
    claims: Claims,
    application: Application,
    verdict: Verdict,
    companies: dict[str, Company],
    now: datetime,
) -> None:
    earning = [company for company in verdict.checked.assessment.companies if company.points]
    if any(company.brn not in companies for company in earning):
        raise Stale  # a row was accepted back while we asked the registry
    await post_transfers(
        session,
        [
            _transfer(
                application, verdict, UNIVERSITY, application.institution_id, application.mileage
            ),
            *(
                _transfer(
                    application,
                    verdict,
                    company.brn,
                    companies[company.brn].institution_id,
                    company.points,
                )
                for company in earning
            ),
        ],
    )
    await _credit_contracts(session, application, verdict)
    application.posted_at = now
    await audit.apply_move(session, claims, application, "post", mileage=application.mileage)


def _transfer(
    application: Application, verdict: Verdict, party: str, institution_id: UUID, points: int
) -> NewTransfer:
    return NewTransfer(
        id=uuid5(application.id, party),
        debit_account=ISSUANCE,
        credit_account=institution_id,
        amount=points,
        kind=Kind.ACCRUAL,
        field=application.field,
        title=verdict.rule.ko,
        reference=application.number,
        origin_id=application.institution_id,
    )


async def _open_contracts(session: AsyncSession, application: Application) -> None:
    """A row for every contract, so that there is something to lock (M-031)."""
    contracts = await session.execute(
        select(Claim.brn, Claim.contract)
        .where(Claim.application_id == application.id, Claim.contract.is_not(None))
        .distinct()
        .order_by(Claim.brn, Claim.contract)
    )
    values = [
        {
            "institution_id": application.institution_id,
            "field": application.field,
            "brn": brn,
            "contract": contract,
            "deposited_won": 0,
            "eligible_won": 0,
            "points": 0,
        }
        for brn, contract in contracts
    ]
    if values:
        await session.execute(insert(ContractCredit).on_conflict_do_nothing(), values)


async def _credit_contracts(
    session: AsyncSession, application: Application, verdict: Verdict
) -> None:
    deposits: dict[tuple[str, str], int] = {}
    for row in verdict.checked.rows:
        if row.contract is not None:
            key = (row.brn, row.contract)
            deposits[key] = deposits.get(key, 0) + row.deposited_won
    await _change_contracts(
        session,
        application,
        (
            (company.brn, line.contract, deposits[company.brn, line.contract], line.quantity,
             line.points)
            for company in verdict.checked.assessment.companies
            for line in company.contracts
        ),
    )  # fmt: skip


async def _take_back_contracts(session: AsyncSession, application: Application) -> None:
    """What a revoked application brought to its contracts no longer counts for later ones."""
    await session.execute(
        select(ContractCredit.points)
        .where(
            ContractCredit.institution_id == application.institution_id,
            ContractCredit.field == application.field,
            ContractCredit.brn.in_(select(Claim.brn).where(Claim.application_id == application.id)),
        )
        .order_by(ContractCredit.brn, ContractCredit.contract)
        .with_for_update()
    )
    deposited = await session.execute(
        text(
            "SELECT brn, contract, sum(deposited_won)::bigint FROM claim WHERE application_id = :id"
            " AND rejected_reason IS NULL AND contract IS NOT NULL GROUP BY brn, contract"
        ),
        {"id": application.id},
    )
    deposits = {(brn, contract): won for brn, contract, won in deposited}
    companies = await session.scalars(
        select(ApplicationCompany).where(ApplicationCompany.application_id == application.id)
    )
    await _change_contracts(
        session,
        application,
        (
            (company.brn, line["contract"], -deposits[company.brn, line["contract"]],
             -line["quantity"], -line["points"])
            for company in companies
            for line in company.contracts
        ),
    )  # fmt: skip


async def _change_contracts(
    session: AsyncSession,
    application: Application,
    changes: Iterable[tuple[str, str, int, int, int]],
) -> None:
    ordered = sorted(changes)
    if not ordered:
        return
    brns, contracts, deposits, eligible, points = map(list, zip(*ordered, strict=True))
    await session.execute(
        _CHANGE_CONTRACTS,
        {
            "institution_id": application.institution_id,
            "field": application.field,
            "brns": brns,
            "contracts": contracts,
            "deposits": deposits,
            "eligible": eligible,
            "points": points,
        },
    )


_CHANGE_CONTRACTS = text(
    """
    UPDATE contract_credit AS credit
    SET deposited_won = credit.deposited_won + given.deposited,
        eligible_won = credit.eligible_won + given.eligible,
        points = credit.points + given.points
    FROM unnest(CAST(:brns AS text[]), CAST(:contracts AS text[]), CAST(:deposits AS bigint[]),
                CAST(:eligible AS bigint[]), CAST(:points AS bigint[]))
         AS given (brn, contract, deposited, eligible, points)
    WHERE credit.institution_id = :institution_id AND credit.field = :field
      AND credit.brn = given.brn AND credit.contract = given.contract
    """
)
