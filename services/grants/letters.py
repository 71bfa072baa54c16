"""What we tell the people of an institution by mail: results, steps of an agreement, decisions.

A letter is a job of the transaction it tells about, handed to the auth service, which knows the
addresses (`POST /internal/letters`). It says what happened and what is due, with sums and days but
no reasons and no names of people: those are read after logging in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from shared.jobs import enqueue

SEND_TASK: Final = "letters.send"
ATTEMPTS: Final = 40  # a day and a half, since a failed job waits an hour at most


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of letter: subject and text in Korean, text in English; `{…}` are parameters."""

    subject: str
    ko: str
    en: str


KINDS: Final[dict[str, Kind]] = {
    "result": Kind(
        "결과가 통보되었습니다: {title}",
        "'{programme}'에 신청하신 '{title}'의 결과가 '{decision}'(으)로 통보되었습니다. "
        "사유와 결과 통보서를 확인하십시오.",
        "There is a result for your proposal '{title}'. Please read the notice and its reasons.",
    ),
    "completion": Kind(
        "보완을 요청받았습니다: {title}",
        "'{title}'의 사전검토에서 보완을 요청받았습니다. {due}까지 보완 자료를 제출하십시오.",
        "Your proposal '{title}' has to be completed by {due} (KST).",
    ),
    "agreement_prepared": Kind(
        "협약을 준비합니다: {title}",
        "'{title}'의 협약 준비를 시작했습니다. 협약 서류의 점검표를 확인하고 서류를 제출하십시오.",
        "The agreement of '{title}' is being prepared. Please hand in the documents on its list.",
    ),
    "agreement_paper_returned": Kind(
        "협약 서류의 보완을 요청받았습니다: {title}",
        "'{title}'의 협약 서류 가운데 보완이 필요한 것이 있습니다. 사유를 확인하고 다시 "
        "제출하십시오.",
        "A document of the agreement of '{title}' was sent back. Please submit it anew.",
    ),
    "agreement_concluded": Kind(
        "협약이 체결되었습니다: {title}",
        "'{title}'의 협약이 체결되었습니다(사업번호 {project_no}). 사업기간은 {start}부터 "
        "{end}까지입니다.",
        "The agreement of '{title}' was concluded (no. {project_no}); its year lasts from {start} "
        "to {end}.",
    ),
    "agreement_cancelled": Kind(
        "협약 준비가 취소되었습니다: {title}",
        "'{title}'의 협약 준비가 취소되었습니다. 사유를 확인하십시오.",
        "The preparation of the agreement of '{title}' was cancelled. Please read the reason.",
    ),
    "amendment_requested": Kind(
        "협약변경 승인을 요청받았습니다: {title}",
        "{institution}에서 '{title}'의 협약변경 승인을 요청했습니다. 검토하여 주십시오.",
        "{institution} asks for an amendment of '{title}'. Please decide about it.",
    ),
    "amendment_approved": Kind(
        "협약변경이 승인되었습니다: {title}",
        "'{title}'의 협약변경이 승인되었습니다. {day}부터 새 계획을 적용합니다.",
        "The amendment of '{title}' was approved; the new plan counts from {day}.",
    ),
    "amendment_rejected": Kind(
        "협약변경이 승인되지 않았습니다: {title}",
        "'{title}'의 협약변경이 승인되지 않았습니다. 사유를 확인하십시오.",
        "The amendment of '{title}' was not approved. Please read the reason.",
    ),
    "amendment_returned": Kind(
        "협약변경의 보완을 요청받았습니다: {title}",
        "'{title}'의 협약변경 요청에 보완이 필요합니다. 사유를 확인하고 다시 요청하십시오.",
        "The request to amend '{title}' was sent back. Please mend it and send it again.",
    ),
    "usage_reported": Kind(
        "사용실적이 보고되었습니다: {title}",
        "{institution}에서 '{title}'의 사용실적을 보고했습니다. 정산을 시작할 수 있습니다.",
        "{institution} reported on the year of '{title}'. Its settlement can begin.",
    ),
    "settlement_run": Kind(
        "정산 검토 결과가 나왔습니다: {title}",
        "'{title}'의 정산 {seq}차 검토 결과, 불인정 금액은 {disallowed:,}원, 반납할 금액은 "
        "{due:,}원입니다. 아직 확정된 금액이 아닙니다. 집행마다 사유를 확인하십시오.",
        "Run {seq} of the settlement of '{title}': {disallowed:,} won disallowed, {due:,} won to "
        "return. Nothing is final yet; each expense tells why.",
    ),
    "supplement_asked": Kind(
        "집행 자료의 보완을 요청받았습니다: {title}",
        "'{title}'의 집행 {number}번에 보완이 필요합니다. 사유를 확인하고 자료를 제출하십시오.",
        "Expense no. {number} of '{title}' has to be supplemented. Please read why.",
    ),
    "objections_open": Kind(
        "이의신청을 할 수 있습니다: {title}",
        "'{title}'의 정산 결과에 이의가 있으면 확정하기 전에 이의신청을 하십시오. 지금 기준의 "
        "불인정 금액은 {disallowed:,}원, 반납할 금액은 {due:,}원입니다.",
        "You may object to the settlement of '{title}' until it is made final: {disallowed:,} won "
        "disallowed, {due:,} won to return.",
    ),
    "objection_made": Kind(
        "이의신청이 접수되었습니다: {title}",
        "{institution}에서 '{title}'의 집행 {number}번에 이의를 신청했습니다. 답변하기 전에는 "
        "정산을 확정할 수 없습니다.",
        "{institution} objects concerning expense no. {number} of '{title}'. The settlement cannot "
        "be made final before it is answered.",
    ),
    "objection_answered": Kind(
        "이의신청에 답변하였습니다: {title}",
        "'{title}'의 집행 {number}번에 대한 이의신청에 전문기관이 답변했습니다. "
        "내용을 확인하십시오.",
        "The agency answered your objection concerning expense no. {number} of '{title}'.",
    ),
    "settlement_final": Kind(
        "정산이 확정되었습니다: {title}",
        "'{title}'의 정산이 확정되었습니다. 반납할 금액은 {due:,}원입니다. 정산 확정서와 "
        "환수 통지서를 확인하십시오.",
        "The settlement of '{title}' is final: {due:,} won are to be returned.",
    ),
    "refund_recorded": Kind(
        "반납이 확인되었습니다: {title}",
        "'{title}'의 반납금 {won:,}원을 확인했습니다. 남은 금액은 {left:,}원입니다.",
        "{won:,} won returned for '{title}' were recorded; {left:,} won are left.",
    ),
    "record_returned": Kind(
        "실적의 보완을 요청받았습니다: {title}",
        "'{title}'에 등록하신 실적 가운데 보완이 필요한 것이 있습니다. 사유를 확인하고 고치십시오.",
        "A record of the duties of '{title}' was sent back. Please read why and mend it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    text: str
    text_en: str


def words(kind: str, params: dict[str, Any]) -> Words:
    """A letter of a kind, within what the auth service takes."""
    wanted = KINDS[kind]
    return Words(
        wanted.subject.format(**params)[:200],
        wanted.ko.format(**params),
        wanted.en.format(**params),
    )


async def tell(
    session: AsyncSession,
    kind: str,
    institution_id: UUID,
    *,
    people: Iterable[str | None] = (),
    **params: Any,
) -> None:
    """Write to the contacts of an institution, and to these accounts of it, if the transaction
    commits. Whoever is no account (a partner system, the clock) is left out."""
    words(kind, params)  # a parameter that is missing fails here, not a day and a half later
    await enqueue(
        session,
        SEND_TASK,
        letter_id=str(uuid4()),
        institution_id=str(institution_id),
        account_ids=sorted({one for one in people if one is not None and _is_account(one)}),
        kind=kind,
        params=params,
    )


def _is_account(sub: str) -> bool:
    try:
        return str(UUID(sub)) == sub
    except ValueError:
        return False
