"""An expense is judged by the settlement's rules before the money is spent, and after."""

import pytest

from tests.grants.api.conftest import API, PDF, meeting


def documents(*kinds: str, amount_won: int | None = None) -> list[dict]:
    return [{"kind": kind, "amount_won": amount_won} for kind in kinds]


async def pre_check(client, agreement, headers, body) -> dict:
    answer = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses/pre-check", json=body, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_before_spending_missing_evidence_is_a_reminder_and_nothing_is_lost(
    client,
    agreement,
    applicant,
):
    checked = await pre_check(client, agreement, applicant, meeting())
    assert checked["ok"] is True
    assert checked["recognisable_won"] == 250_000
    assert {finding["level"] for finding in checked["findings"]} == {"warning"}


async def test_money_obligated_before_the_period_would_be_disallowed(
    client,
    agreement,
    applicant,
):
    body = meeting(obligated_on="2020-02-28", paid_on="2020-02-28")
    checked = await pre_check(client, agreement, applicant, body)
    assert (checked["ok"], checked["recognisable_won"]) == (False, 0)
    (found,) = [f for f in checked["findings"] if f["level"] == "error"]
    assert (found["code"], found["rule"]) == ("OUT_OF_PERIOD", "G-044")
    assert found["params"]["disallowed_won"] == 250_000


@pytest.mark.parametrize(
    ("won", "kinds", "code"),
    [
        (29_999, ["simple_tax_invoice"], None),
        (30_000, ["simple_tax_invoice"], "SIMPLE_TAX_INVOICE"),
        (30_000, ["tax_invoice"], None),
    ],
)
async def test_from_thirty_thousand_won_a_simple_tax_invoice_is_no_receipt(
    client,
    agreement,
    applicant,
    won,
    kinds,
    code,
):
    body = meeting(won, evidence=documents(*kinds, amount_won=won))
    checked = await pre_check(client, agreement, applicant, body)
    found = {finding["code"] for finding in checked["findings"]}
    assert (code in found) if code else ("SIMPLE_TAX_INVOICE" not in found)


async def test_an_entered_expense_without_its_evidence_is_not_recognised(
    client,
    agreement,
    applicant,
    officer,
):
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(310_000),
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    assert (made.status_code, made.json()["number"]) == (201, 1)
    url = f"{API}/expenses/{made.json()['id']}"
    first = (await client.get(url, headers=applicant)).json()["check"]
    assert first["recognisable_won"] == 0

    for n, (kind, amount) in enumerate(
        [("expenditure_resolution", None), ("card_slip", 310_000), ("signed_minutes", None)]
    ):
        answer = await client.post(
            f"{url}/evidence",
            data={"kind": kind} | ({"amount_won": str(amount)} if amount else {}),
            files={"file": (f"{kind}.pdf", PDF + bytes([n]), "application/pdf")},
            headers=applicant,
        )
        assert answer.status_code == 201, answer.text
    seen_by_agency = (await client.get(url, headers=officer)).json()
    assert len(seen_by_agency["evidence"]) == 3
    assert seen_by_agency["check"]["recognisable_won"] == 310_000, seen_by_agency["check"]


async def test_a_document_of_an_unknown_kind_is_refused(client, agreement, applicant):
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(),
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    answer = await client.post(
        f"{API}/expenses/{made.json()['id']}/evidence",
        data={"kind": "napkin"},
        files={"file": ("a.pdf", PDF, "application/pdf")},
        headers=applicant,
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "EVIDENCE_KIND_UNKNOWN"


async def test_the_same_file_proves_one_expense_only(client, agreement, applicant):
    urls = []
    for key in ("e1", "e2"):
        made = await client.post(
            f"{API}/agreements/{agreement['id']}/expenses",
            json=meeting(),
            headers=applicant | {"Idempotency-Key": key},
        )
        urls.append(f"{API}/expenses/{made.json()['id']}/evidence")
    sent = {"data": {"kind": "card_slip"}, "headers": applicant}
    upload = {"file": ("영수증.pdf", PDF, "application/pdf")}
    assert (await client.post(urls[0], files=upload, **sent)).status_code == 201
    again = await client.post(urls[1], files=upload, **sent)
    assert again.json()["errors"][0]["code"] == "DUPLICATE_EVIDENCE"


async def test_spending_fills_the_meters(client, agreement, applicant):
    await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(600_000),
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    url = f"{API}/agreements/{agreement['id']}/meters"
    items = (await client.get(url, headers=applicant)).json()["items"]
    (meter,) = [m for m in items if m["pointer"] == "/items/technical_information"]
    assert (meter["numerator_won"], meter["denominator_won"]) == (600_000, 60_000_000)
    assert meter["used_percent"] == "1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "no_such_kind"}, "ITEM_UNKNOWN"),
        ({"details": {"heads": "two"}}, "DOCUMENT_VALUE"),
        ({"details": {"surprise": 1}}, "DOCUMENT_KEY_UNKNOWN"),
        ({"amount_won": -1}, "FIELD_INVALID"),
        ({"amount_won": 1.5}, "FIELD_INVALID"),
        ({"vat_won": 10**9}, "FIELD_INVALID"),
    ],
)
async def test_an_expense_nobody_can_read_is_refused_by_place(
    client,
    agreement,
    applicant,
    change,
    code,
):
    answer = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(**change) if "amount_won" not in change else meeting() | change,
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    assert answer.status_code == 422
    assert code in {item["code"] for item in answer.json()["errors"]}


async def test_an_agreement_is_nobody_elses_business(client, agreement, applicant, stranger):
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(),
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    other = stranger("grants:apply", "grants:manage")
    url, expense = f"{API}/agreements/{agreement['id']}", f"{API}/expenses/{made.json()['id']}"
    key = {"Idempotency-Key": "x"}
    answers = [
        await client.get(url, headers=other),
        await client.get(f"{url}/meters", headers=other),
        await client.get(f"{url}/expenses", headers=other),
        await client.post(f"{url}/expenses", json=meeting(), headers=other | key),
        await client.post(f"{url}/expenses/pre-check", json=meeting(), headers=other),
        await client.get(expense, headers=other),
        await client.post(
            f"{expense}/evidence",
            data={"kind": "card_slip"},
            files={"file": ("a.pdf", PDF, "application/pdf")},
            headers=other,
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}
