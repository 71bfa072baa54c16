"""The planted year through the API: entered, proven with files, reported, settled to the won."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from services.grants.settlement.snapshot import frozen
from tests.grants import planted_plan
from tests.grants.api.conftest import AGENCY, API, PDF, concluded, save, submit
from tests.grants.calls import keco
from tests.grants.planted import Planted, filled, planted

COLUMNS = {"id", "kind", "fund", "amount_won", "obligated_on", "paid_on", "evidence"}


@pytest.fixture
async def agreement(client, draft, applicant, officer, runtime) -> str:
    """The planted plan, agreed on, with its changes on record."""
    saved = await save(client, draft, applicant, planted_plan.document())
    assert saved.status_code == 200, saved.text
    assert (await submit(client, draft, applicant)).status_code in (200, 201)
    async with runtime.sessions.begin() as session:  # the evaluation's business
        await session.execute(text("UPDATE proposal SET state = 'designated'"))
    agreed = await client.post(
        f"{API}/received/{draft['id']}/agree",
        json={"agreed_on": "2020-03-15"},
        headers=officer | {"Idempotency-Key": "agree"},
    )
    await concluded(runtime, agreed.json()["id"])
    url = f"{API}/agreements/{agreed.json()['id']}"
    for number, (party, kind, body) in enumerate(planted_plan.CHANGES):
        headers = applicant if party == "institution" else officer
        answer = await client.post(
            f"{url}/changes",
            json={"kind": kind, "body": body, "reason": "시험"},
            headers=headers | {"Idempotency-Key": f"change-{number}"},
        )
        assert answer.status_code == 201, answer.text
    return url


async def enter(client, url, headers, row: Planted) -> str:
    """One expense as a front end sends it: what the form has, and the rules' details."""
    sent = frozen(row.expense)
    body: dict[str, Any] = {name: sent[name] for name in COLUMNS - {"id", "evidence"} & sent.keys()}
    body |= {"purpose": "시험 집행", "payee_name": "가람상사"}
    body["details"] = {name: value for name, value in sent.items() if name not in COLUMNS}
    answer = await client.post(
        f"{url}/expenses", json=body, headers=headers | {"Idempotency-Key": row.expense.id}
    )
    assert answer.status_code == 201, (row.what, answer.text)
    return answer.json()["id"]


async def prove(client, headers, expense_id: str, row: Planted) -> None:
    for place, paper in enumerate(row.expense.evidence):
        stated = frozen(replace(paper, sha256=None))
        answer = await client.post(
            f"{API}/expenses/{expense_id}/evidence",
            data={name: str(value) for name, value in stated.items()},
            files={"file": (f"{paper.kind}.pdf", PDF + f"{expense_id} {place}".encode())},
            headers=headers,
        )
        assert answer.status_code == 201, (row.what, answer.text)


async def test_the_planted_year_settles_to_exactly_its_findings_and_sums(
    client, agreement, applicant, officer, tokens
):
    rows = filled(planted(), dict(keco().item_of))
    ids = [await enter(client, agreement, applicant, row) for row in rows]
    pairs = list(zip(ids, rows, strict=True))
    for start in range(0, len(pairs), 8):
        several = pairs[start : start + 8]
        await asyncio.gather(*(prove(client, applicant, one, row) for one, row in several))
    await client.post(f"{agreement}/close", headers=officer)
    spent = Counter[str]()
    for row in rows:
        spent[row.expense.fund] += row.expense.amount_won
    report = {
        "received_grant_won": 300_000_000,
        "interest_won": 123_456,
        "account": {"separate": True, "interest_tracked": True},
    }
    reported = await client.post(f"{agreement}/report", json=report, headers=applicant)
    assert reported.status_code == 200, reported.text
    auditor = tokens.headers("grants:settle", role="auditor", institution_id=AGENCY)
    made = await client.post(
        f"{agreement}/settlement/runs", headers=auditor | {"Idempotency-Key": "run"}
    )
    assert made.status_code == 201, made.text
    result = made.json()["result"]

    won = Counter[tuple[str, str, str]]()
    for part in result["disallowances"]:
        won[part["expense_id"], part["rule"], part["code"]] += part["won"]
    assert won == {(one, row.rule, row.code): row.won for one, row in pairs if row.won}
    said = [
        (finding["pointer"].removeprefix("/expenses/"), finding["rule"], finding["code"])
        for finding in result["findings"]
        if finding["pointer"].startswith("/expenses/")
    ]
    assert sorted(said) == sorted((one, row.rule, row.code) for one, row in pairs if row.code)

    fallen = Counter[int]()
    lost = Counter[str]()
    for row in rows:
        fallen[row.ground] += row.won
        lost[row.expense.fund] += row.won
    del fallen[0]
    assert {int(ground): amount for ground, amount in result["by_ground"].items()} == fallen
    assert result["spent"] == dict(spent)
    assert result["disallowed"] == dict(lost)
    # (received − spent − carried over) + disallowed + interest × G ÷ (G + C), cut once (G-049)
    due = 300_000_000 - spent["grant"] - 1_000_000 + lost["grant"] + 123_456 * 300 // 360
    assert result["statement"]["return_won"] == due
    of_the_year = [
        f["code"] for f in result["findings"] if not f["pointer"].startswith("/expenses")
    ]
    assert sorted(of_the_year) == [
        "CLAIMS_UNCHECKED",
        "CLAIMS_UNCHECKED",
        "CONTRIBUTION_SHORTFALL",
        "CONTRIBUTION_SHORTFALL",
        "USAGE_NOT_STATED",
    ]
