"""The chapters of the demo: what the four kinds of user do, through the gateway only."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import openpyxl

from deploy.demo import sheets
from deploy.demo.budget import proposal_document
from deploy.demo.client import Answer, User
from deploy.demo.story import Story

APPLICATIONS = "/api/v1/accrual/applications"
LEDGER = "/api/v1/accrual/ledger"
EXCHANGE = "/api/v1/exchange"
GRANTS = "/api/v1/grants"

HANMARU = sheets.Company("9998100015", "한마루정밀 주식회사")
TRAINEES = 12
# 12 × 1,154,400 won / 10,000, rounded down once for the company (M-031).
EARNED = TRAINEES * sheets.ALLOWANCE_WON // 10_000


@dataclass
class Cast:
    """Who plays: everybody logs in when first needed. `run` makes this run's data its own."""

    story: Story
    public: User
    university: User
    sub_account: User
    newcomer: User
    company: User
    operator: User
    officer: User
    auditor: User
    evaluators: Sequence[User]
    run: str
    today: date

    def balance(self, user: User) -> int:
        return int(user.get(f"{LEDGER}/account")["balance"])


def sign_in(cast: Cast) -> None:
    story = cast.story
    story.chapter("1. Who comes in, and how far")
    with User(cast.public.gateway, cast.university.login, "wrong-password-1!") as intruder:
        refused = intruder.sign_in()
    story.check("A wrong password", (refused.status, refused.code), (400, "LOGIN_FAILED"))
    unknown = cast.public.get(f"{LEDGER}/account", expect=401)
    story.check("Without a token", unknown.code, "TOKEN_REQUIRED")
    signed_in = cast.newcomer.sign_in()
    if signed_in.status == 200 and signed_in.body.get("password_change_required", True):
        shut = cast.newcomer.get(f"{LEDGER}/account", expect=None)
        if shut.status == 403:
            story.check("A first login opens only", shut.code, "PASSWORD_CHANGE_REQUIRED")


def criteria(cast: Cast) -> None:
    story = cast.story
    story.chapter("2. Anyone can ask what an activity earns")
    answer = cast.public.post(
        "/api/v1/accrual/criteria/calculate",
        {"field": "TECH_TRANSFER", "amount_won": 50_000_000},
    )
    story.detail(answer["formula_ko"])
    story.check("Technology transfer of 50,000,000 won", answer["points"], 1_000)
    answer = cast.public.post(
        "/api/v1/accrual/criteria/calculate",
        {"field": "RESEARCH", "amount_won": 3_200_000_000},
    )
    story.check("Research of 3.2 billion won (a float says 7,999)", answer["points"], 8_000)


def accrual(cast: Cast) -> None:
    story, university = cast.story, cast.university
    before = cast.balance(university), cast.balance(cast.company)
    rows = sheets.trainees(HANMARU, cast.run, cast.today, TRAINEES)

    story.chapter("3. A sheet with a dozen mistakes: all found at once, by cell")
    draft = university.post(
        APPLICATIONS, {"field": "PRACTICE", "memo": "하계 현장실습"}, expect=201
    )
    url = f"{APPLICATIONS}/{draft['id']}"
    broken = sheets.workbook(sheets.mistaken(rows))
    refused = _upload(university, url, broken, draft, expect=422)
    found = {(item["row"], item["code"]) for item in refused["errors"]}
    for place, (code, _column, value) in enumerate(sheets.MISTAKES, 2):
        story.check(f"Row {place}, '{value}'", (place, code) in found, True)
    for item in refused["errors"][:3]:
        story.detail(item["message"])
    marked = _annotated(university, url, broken)
    story.check(
        "Cells marked red in the office's own workbook", marked >= len(sheets.MISTAKES), True
    )

    story.chapter("4. The corrected sheet, evidence, submission")
    saved = _upload(university, url, sheets.workbook(rows), draft)
    story.check("Rows saved", saved["row_count"], TRAINEES)
    story.check("Mileage the sheet earns", saved["mileage"], EARNED)
    incomplete = university.post(f"{url}/submit", once=True, expect=422)
    story.check("Without evidence", set(incomplete.codes), {"EVIDENCE_MISSING"})
    for kind, title in (("OFFICIAL_LETTER", "공문"), ("PRACTICE_AGREEMENT", "협약서")):
        university.ask(
            "POST",
            f"{url}/files",
            expect=201,
            data={"kind": kind},
            files={"file": (f"{title}.pdf", sheets.pdf(title), "application/pdf")},
        )
    preview = university.post(f"{url}/preview")
    key = str(uuid4())
    submitted = university.post(f"{url}/submit", once=key)
    story.check("Preview and submission agree", preview["mileage"], submitted["mileage"])
    again = university.post(f"{url}/submit", once=key)
    story.check("A second tap gets the same answer", again.body, submitted.body)
    story.detail(f"신청번호 {submitted['number']}")

    story.chapter("5. The operator approves; both sides receive the same")
    denied = cast.company.get(url, expect=None)
    story.check("Another institution sees nothing", denied.status in (403, 404), True)
    cast.operator.post(f"{url}/claim")
    approved = cast.operator.post(f"{url}/approve", {}, once=True)
    story.check("State", approved["state"], "posted")
    story.check("University gained", cast.balance(university) - before[0], EARNED)
    story.check("Company gained", cast.balance(cast.company) - before[1], EARNED)

    story.chapter("6. The same achievement cannot be claimed twice")
    twice = university.post(APPLICATIONS, {"field": "PRACTICE", "memo": "다시"}, expect=201)
    refused = _upload(
        university,
        f"{APPLICATIONS}/{twice['id']}",
        sheets.workbook(rows[:1]),
        twice,
        expect=None,
    )
    found_codes = {item["code"] for item in refused.body.get("errors", [])} | {
        item["code"] for item in refused.body.get("findings", [])
    }
    story.check("Claiming it again", "DUPLICATE_CLAIM" in found_codes, True)
    university.ask("DELETE", f"{APPLICATIONS}/{twice['id']}", expect=204)


def _upload(
    user: User, url: str, content: bytes, draft: Answer, expect: int | None = 200
) -> Answer:
    return user.ask(
        "POST",
        f"{url}/rows/sheet",
        expect=expect,
        headers=user.get(url).tag,
        files={"file": ("실습명단.xlsx", content, sheets.XLSX)},
    )


def _annotated(user: User, url: str, content: bytes) -> int:
    """How many cells of the returned workbook carry a comment."""
    answer = user.ask(
        "POST",
        f"{url}/rows/sheet/annotated",
        files={"file": ("실습명단.xlsx", content, sheets.XLSX)},
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.response.content))
    return sum(1 for row in book.worksheets[0].iter_rows() for cell in row if cell.comment)


def exchange(cast: Cast) -> None:
    story, university, company = cast.story, cast.university, cast.company
    before = cast.balance(university), cast.balance(company)

    story.chapter("7. The exchange: 30 % of the fee in mileage, and no point more")
    listing = university.post(f"{EXCHANGE}/listings", _listing(cast.run), expect=201)
    listing = university.post(f"{EXCHANGE}/listings/{listing['id']}/publish", headers=listing.tag)
    found = cast.public.get(f"{EXCHANGE}/listings", params={"q": cast.run})
    story.check("Found without a login", found["items"][0]["id"], listing["id"])
    wish = {"listing_id": listing["id"], "quantity": 1, "mileage": 750}
    quote = company.post(f"{EXCHANGE}/orders/preview", wish)
    story.check("Cash for 2,500,000 won with 750 points", quote["cash_won"], 1_750_000)
    over = company.post(f"{EXCHANGE}/orders", wish | {"mileage": 751}, once=True, expect=422)
    story.check("751 points", _code(over), "DISCOUNT_CAP")
    own = university.post(f"{EXCHANGE}/orders", wish, once=True, expect=None)
    story.check("A university buying", own.status, 403)

    order = company.post(f"{EXCHANGE}/orders", wish, once=True, expect=201)
    held = company.get(f"{LEDGER}/account")
    story.check("Held for the order", before[1] - held["available"], 750)
    url = f"{EXCHANGE}/orders/{order['id']}"
    university.post(f"{url}/accept", once=True)
    university.post(f"{url}/start", once=True)
    university.post(f"{url}/complete", {"actual_quantity": 1}, once=True)
    university.post(
        f"{url}/payments",
        {
            "amount_won": 1_750_000,
            "method": "transfer",
            "paid_on": f"{cast.today:%Y-%m-%d}",
            "reference": f"입금-{cast.run}",
        },
        once=True,
        expect=201,
    )
    university.post(f"{url}/settle", once=True, expect=None)
    settled = company.get(url)
    story.check("Settlement", settled["settlement"], "settled")
    story.check("Company paid in points", before[1] - cast.balance(company), 750)
    story.check("University received", cast.balance(university) - before[0], 750)


def _listing(run: str) -> dict[str, Any]:
    return {
        "kind": "analysis",
        "use_mode": "commissioned",
        "unit": "sample",
        "title": f"전자현미경 시료 분석 {run}",
        "description": "의뢰 시료의 미세구조를 분석합니다.",
        "location": "공동실험관 101호",
        "price_won": 2_500_000,
        "max_quantity": 10,
        "terms": "시료는 방문 또는 택배로 접수합니다.",
        "cancellation": {
            "free_until_hours": 24,
            "late_fee_percent": 0,
            "no_show_fee_percent": 0,
        },
        "lead_time_hours": 0,
    }


def grants(cast: Cast) -> None:
    story, university, officer = cast.story, cast.university, cast.officer
    story.chapter("8. A grant call: the budget is checked while it is typed")
    now = datetime.now(UTC)
    call = officer.post(
        f"{GRANTS}/programmes",
        {
            "kind": "hosted",
            "name": f"폐자원에너지화 특성화대학원 {cast.run}",
            "ministry_name": "산학정책부",
            "agency_name": "가온산업진흥원",
            "target": "university",
            "benefit": "grant",
            "opens_at": (now - timedelta(days=1)).isoformat(),
            "closes_at": (now + timedelta(days=30)).isoformat(),
            "rolling": True,  # looked at as it comes: the demo does not wait thirty days
            "rule_set_code": "keco-2020",
            "rule_set_version": 1,
        },
        expect=201,
    )
    programme = f"{GRANTS}/programmes/{call['id']}"
    officer.post(f"{programme}/publish")
    draft = university.post(f"{programme}/proposals", {"title": "바이오가스 인력양성"}, expect=201)
    proposal = f"{GRANTS}/proposals/{draft['id']}"

    over = proposal_document(overhead_won=18_900_000)
    saved = university.put(proposal, {"title": "v1", "document": over}, headers=draft.tag)
    checked = university.get(f"{proposal}/check")
    (finding,) = [item for item in checked["findings"] if item["level"] == "error"]
    story.detail(f"{finding['message']} [{finding['rule']}, {finding['citation']}]")
    story.check("Overhead over 7 %", finding["code"], "CAP_EXCEEDED")
    refused = university.post(f"{proposal}/submit", once=True, expect=422)
    story.check("Submitting it", refused.codes, ["CAP_EXCEEDED"])

    good = proposal_document(overhead_won=9_200_000)
    university.put(proposal, {"title": "v2", "document": good}, headers=saved.tag)
    receipt = university.post(f"{proposal}/submit", once=True)["receipt"]
    story.check("Corrected and received, version", receipt["seq"], 1)
    story.detail(f"접수번호 {receipt['receipt_number']}")
    received = officer.get(f"{programme}/received")
    story.check("What the agency received", received["total"], 1)
    _evaluation(cast, programme, draft["id"])
    _expense(cast, draft["id"])


def _evaluation(cast: Cast, programme: str, proposal_id: str) -> None:
    """From the pre-review to the designation."""
    story, officer = cast.story, cast.officer
    story.chapter("9. Reviewers score; what can be counted is calculated")
    received = f"{GRANTS}/received/{proposal_id}"
    officer.post(f"{received}/pre-review/start")
    points = officer.get(f"{received}/pre-review")["points"]
    checks = {point["code"]: {"holds": True} for point in points}
    officer.post(f"{received}/pre-review", {"eligible": True, "checks": checks})
    officer.put(
        f"{received}/facts",
        {
            "lead_region": "gangwon",
            "records": {
                "completed_jobs": [{"on": f"{cast.today:%Y-%m-%d}", "proven": True}] * 4,
            },
        },
    )
    reviewers = [
        {"reviewer_id": user.subject, "name": f"평가위원 {n}"}
        for n, user in enumerate(cast.evaluators, 1)
    ]
    officer.post(f"{programme}/reviewers", {"reviewers": reviewers})
    for user, grade in zip(cast.evaluators, (10, 8, 8), strict=True):
        url = f"{GRANTS}/evaluations/{proposal_id}"
        user.post(f"{url}/no-conflict")
        seen = user.get(url)
        scores = {
            item["code"]: item["scores"][(10 - grade) // 2]
            for item in seen["items"]
            if not item["quantitative"]
        }
        user.put(url, {"scores": scores, "comment": "적정함"}, headers=seen.tag)
        user.post(f"{url}/submit")
    (line,) = officer.post(f"{programme}/ranking", once=True)["items"]
    for item in line["quantitative"]:
        story.detail(f"{item['item']}: {item['shown']}")
    story.detail(f"가점: {line['bonus_shown']}")
    story.check("Total, exactly and as shown", (line["total"], line["shown"]), _TOTAL)
    for action in ("prefer", "negotiate", "designate"):
        officer.post(f"{received}/decide", {"action": action, "reason": "선정평가 결과"})


# Training 15 of 15 → 6, investment 60/200 → 10, four jobs → 8; qualitative (70 + 56 + 56) / 3;
# bonus 5: 24 + 182/3 + 5.
_TOTAL = ("269/3", "89.66")


def _expense(cast: Cast, proposal_id: str) -> None:
    """An expense checked before it is spent, entered without proof, and settled."""
    story, university, officer = cast.story, cast.university, cast.officer
    story.chapter("10. An expense is checked before it is spent, and settled to the won")
    agreement = officer.post(
        f"{GRANTS}/received/{proposal_id}/agree",
        {"agreed_on": "2020-03-02"},
        once=True,
        expect=201,
    )
    url = f"{GRANTS}/agreements/{agreement['id']}"
    _conclude(cast, url)
    meeting = {
        "kind": "meeting",
        "fund": "grant",
        "amount_won": 310_000,
        "purpose": "교육위원회",
        "payee_name": "가람식당",
        "obligated_on": "2020-06-10",
        "paid_on": "2020-06-10",
        "details": {"event": "교육위원회 1차"},
    }
    checked = university.post(f"{url}/expenses/pre-check", meeting)
    reminders = {item["code"] for item in checked["findings"]}
    story.check("Over 300,000 won: keep signed minutes", "MINUTES_TO_PROVIDE" in reminders, True)
    early = meeting | {"obligated_on": "2020-02-28", "paid_on": "2020-02-28"}
    refused = university.post(f"{url}/expenses/pre-check", early)
    (finding,) = [item for item in refused["findings"] if item["level"] == "error"]
    story.detail(f"{finding['message']} [{finding['rule']}, {finding['citation']}]")
    story.check("Before the period", finding["code"], "OUT_OF_PERIOD")
    story.check("Recognisable then", refused["recognisable_won"], 0)
    receipt = meeting | {
        "amount_won": 30_000,
        "evidence": [{"kind": "simple_tax_invoice", "amount_won": 30_000}],
    }
    found = university.post(f"{url}/expenses/pre-check", receipt)
    codes = {item["code"] for item in found["findings"]}
    story.check("30,000 won on a simplified invoice", "SIMPLE_TAX_INVOICE" in codes, True)

    made = university.post(f"{url}/expenses", meeting, once=True, expect=201)
    entered = university.get(f"{GRANTS}/expenses/{made['id']}")
    story.check("Entered without proof, recognisable", entered["check"]["recognisable_won"], 0)
    officer.post(f"{url}/close")
    university.post(f"{url}/report", {"received_grant_won": 200_000_000, "interest_won": 123_456})
    result = cast.auditor.post(f"{url}/settlement/runs", once=True, expect=201)["result"]
    story.check("Disallowed, by ground", result["by_ground"], {"1": 310_000})
    story.check(
        "To return: unspent, disallowed and the grant's share of the interest",
        result["statement"]["return_won"],
        (200_000_000 - 310_000) + 310_000 + 123_456 * 200 // 260,
    )


def _conclude(cast: Cast, url: str) -> None:
    """The documents of the agreement are handed in and accepted, one by one (G-056)."""
    story, university, officer = cast.story, cast.university, cast.officer
    refused = officer.post(f"{url}/conclude", {}, once=True, expect=422)
    due = university.get(f"{url}/documents")["checklist"]
    story.check("Documents missing of the agreement", len(refused.codes), len(due))
    for line in due:
        handed = university.ask(
            "POST",
            f"{url}/documents",
            expect=201,
            data={"code": line["code"]},
            files={"file": (f"{line['code']}.pdf", sheets.pdf(line["name"]), "application/pdf")},
        )
        officer.post(f"{GRANTS}/agreement-documents/{handed['id']}/accept")
    concluded = officer.post(f"{url}/conclude", {}, once=True)
    story.check("Agreement concluded", concluded["state"], "active")


def books(cast: Cast) -> None:
    story = cast.story
    story.chapter("11. The books balance")
    report = cast.operator.post(f"{LEDGER}/verify")
    story.check("Every chain recomputed", report["ok"], True)


def _code(answer: Answer) -> str:
    codes: Mapping[str, Any] = answer.body
    return str(answer.codes[0] if answer.codes else codes["code"])
