"""An expense is changed with its history, cancelled, and its documents come and go in time."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import API, PDF, meeting


@pytest.fixture
async def entered(client, agreement, applicant) -> str:
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(),
        headers=applicant | {"Idempotency-Key": "e1"},
    )
    return f"{API}/expenses/{made.json()['id']}"


async def attach(client, url, headers, kind="card_slip", content=b"1", **data):
    return await client.post(
        f"{url}/evidence",
        data={"kind": kind, **data},
        files={"file": (f"{kind}.pdf", PDF + content, "application/pdf")},
        headers=headers,
    )


async def test_an_edit_keeps_what_was_there_before(client, entered, applicant, officer, runtime):
    seen = await client.get(entered, headers=applicant)
    assert (seen.headers["ETag"], seen.json()["project_month"]) == ('"1"', 4)
    changed = await client.put(
        entered, json=meeting(260_000), headers=applicant | {"If-Match": '"1"'}
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    late = await client.put(entered, json=meeting(1), headers=applicant | {"If-Match": '"1"'})
    assert late.status_code == 412
    blind = await client.put(entered, json=meeting(1), headers=applicant)
    assert blind.status_code == 428
    history = (await client.get(f"{entered}/history", headers=officer)).json()
    assert [(h["version"], h["document"]["amount_won"]) for h in history] == [
        (1, 250_000),
        (2, 260_000),
    ]
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("DELETE FROM expense_version"))


async def test_an_edit_nobody_can_read_changes_nothing(client, entered, applicant):
    answer = await client.put(
        entered, json=meeting(kind="no_such_kind"), headers=applicant | {"If-Match": '"1"'}
    )
    assert answer.status_code == 422
    assert (await client.get(entered, headers=applicant)).json()["expense"]["version"] == 1


async def test_a_cancelled_entry_keeps_its_number_and_counts_nowhere(
    client, agreement, entered, applicant
):
    assert (await attach(client, entered, applicant, amount_won="250000")).status_code == 201
    cancelled = await client.post(f"{entered}/cancel", headers=applicant)
    assert cancelled.json()["state"] == "cancelled"
    url = f"{API}/agreements/{agreement['id']}"
    meters = (await client.get(f"{url}/meters", headers=applicant)).json()["items"]
    (meter,) = [m for m in meters if m["pointer"] == "/items/technical_information"]
    assert meter["numerator_won"] == 0
    again = await client.post(
        f"{url}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "e2"}
    )
    assert again.json()["number"] == 2
    # Its document is free for the entry that is right.
    new = f"{API}/expenses/{again.json()['id']}"
    assert (await attach(client, new, applicant, amount_won="250000")).status_code == 201
    for action in ("cancel", "supply"):
        assert (await client.post(f"{entered}/{action}", headers=applicant)).status_code == 409
    listed = await client.get(f"{url}/expenses?state=cancelled", headers=applicant)
    assert [item["number"] for item in listed.json()["items"]] == [1]


async def test_documents_are_read_by_both_sides_and_taken_back_by_one(
    client, entered, applicant, officer, stranger
):
    paper = (await attach(client, entered, applicant, content=b"slip")).json()
    url = f"{API}/evidence/{paper['id']}"
    for reader in (applicant, officer):
        file = await client.get(f"{url}/file", headers=reader)
        assert file.content == PDF + b"slip"
        assert file.headers["content-disposition"].startswith("attachment")
    other = stranger("grants:apply", "grants:manage")
    assert (await client.get(f"{url}/file", headers=other)).status_code == 404
    assert (await client.delete(url, headers=other)).status_code == 404
    assert (await client.delete(url, headers=applicant)).status_code == 204
    assert (await client.get(f"{url}/file", headers=applicant)).status_code == 404


async def test_a_contract_serves_every_month_though_a_receipt_proves_once(
    client, agreement, entered, applicant
):
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses",
        json=meeting(),
        headers=applicant | {"Idempotency-Key": "e2"},
    )
    second = f"{API}/expenses/{made.json()['id']}"
    for url in (entered, second):
        assert (await attach(client, url, applicant, "contract", b"same")).status_code == 201
    assert (await attach(client, entered, applicant, "card_slip", b"slip")).status_code == 201
    refused = await attach(client, second, applicant, "card_slip", b"slip")
    assert refused.json()["errors"][0]["code"] == "DUPLICATE_EVIDENCE"


async def test_after_the_year_is_closed_nothing_of_an_entry_changes(
    client, agreement, entered, applicant, officer
):
    await client.post(f"{API}/agreements/{agreement['id']}/close", headers=officer)
    headers = applicant | {"If-Match": '"1"'}
    assert (await client.put(entered, json=meeting(1), headers=headers)).status_code == 409
    assert (await client.post(f"{entered}/cancel", headers=applicant)).status_code == 409


async def test_a_card_used_at_night_is_remarked(client, entered, applicant):
    data = {"amount_won": "250000", "used_at": "2020-06-10T23:40:00+09:00"}
    assert (await attach(client, entered, applicant, **data)).status_code == 201
    check = (await client.get(entered, headers=applicant)).json()["check"]
    assert "CARD_AFTER_HOURS" in {finding["code"] for finding in check["findings"]}


async def test_a_bundle_that_its_purpose_admits_needs_its_itemisation(client, agreement, applicant):
    body = meeting(purpose="다과 외 3건")
    checked = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses/pre-check", json=body, headers=applicant
    )
    missing = [f["params"].get("missing") for f in checked.json()["findings"]]
    assert [["itemisation"]] in missing


# Changes of the plan ----------------------------------------------------------------------------


async def change(client, agreement, headers, kind: str, key: str = "c1", **body):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/changes",
        json={"kind": kind, "body": body, "reason": "내부결재"},
        headers=headers | {"Idempotency-Key": key},
    )


MOVE = {"source": "books", "target": "meeting", "fund": "grant", "won": 1_000_000}


async def test_money_moved_within_an_item_changes_what_may_be_spent(
    client, agreement, applicant, officer
):
    url = f"{API}/agreements/{agreement['id']}/expenses/pre-check"
    body = meeting(5_500_000)
    before = (await client.post(url, json=body, headers=applicant)).json()
    assert before["recognisable_won"] == 5_000_000
    moved = await change(client, agreement, applicant, "reallocation", **MOVE)
    assert (moved.status_code, moved.json()["party"]) == (201, "institution"), moved.text
    after = (await client.post(url, json=body, headers=applicant)).json()
    assert after["recognisable_won"] == 5_500_000
    kept = (await client.get(f"{API}/agreements/{agreement['id']}/changes", headers=officer)).json()
    assert [(one["seq"], one["kind"], one["body"]) for one in kept] == [(1, "reallocation", MOVE)]


@pytest.mark.parametrize(
    ("who", "kind", "body", "code"),
    [
        ("applicant", "reallocation", MOVE | {"target": "printing"}, "MOVE_NEEDS_APPROVAL"),
        ("applicant", "reallocation", MOVE | {"won": 55_000_001}, "MOVE_TOO_LARGE"),
        ("applicant", "reallocation", MOVE | {"won": 0}, "AMOUNT_NEGATIVE"),
        ("applicant", "reallocation", MOVE | {"source": "nothing"}, "ITEM_UNKNOWN"),
        ("officer", "reallocation", MOVE | {"target": "overseas_trip"}, "BUDGET_FROZEN"),
        ("officer", "reallocation", MOVE | {"target": "common_support"}, "BUDGET_FROZEN"),
        ("applicant", "study", {"person": "nobody", "study": {}}, "PERSON_UNKNOWN"),
        ("applicant", "person", {"person": "x", "replaces": "nobody"}, "DOCUMENT_KEY_MISSING"),
        ("officer", "approved_change", {"item": "gardening"}, "ITEM_UNKNOWN"),
        ("officer", "carry_over", {"won": -1}, "AMOUNT_NEGATIVE"),
        ("officer", "trip", {"trip": 7}, "DOCUMENT_VALUE"),
    ],
)
async def test_a_change_that_may_not_be_is_refused_by_place(
    client, agreement, applicant, officer, who, kind, body, code
):
    headers = applicant if who == "applicant" else officer
    answer = await change(client, agreement, headers, kind, **body)
    assert answer.status_code == 422
    assert code in {item["code"] for item in answer.json()["errors"]}
    assert all(item["pointer"].startswith("/body") for item in answer.json()["errors"])


async def test_each_side_records_only_its_own_changes(
    client, agreement, applicant, officer, stranger
):
    approval = await change(client, agreement, applicant, "approved_change", item="materials")
    assert approval.status_code == 403
    paper = await change(client, agreement, officer, "internal_change", item="materials")
    assert paper.status_code == 403
    other = await change(
        client, agreement, stranger("grants:apply"), "internal_change", item="materials"
    )
    assert other.status_code == 404
    url = f"{API}/agreements/{agreement['id']}/changes"
    assert (await client.get(url, headers=stranger("grants:apply"))).status_code == 404


async def test_a_second_tap_records_a_change_once(client, agreement, applicant):
    for _ in range(2):
        made = await change(client, agreement, applicant, "reallocation", **MOVE)
        assert made.status_code == 201
    url = f"{API}/agreements/{agreement['id']}/changes"
    assert len((await client.get(url, headers=applicant)).json()) == 1
