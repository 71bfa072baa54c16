"""Whoever changes a thing of a year locks the year first, then the thing: a run, which holds the
year and then all its expenses, never waits for somebody who waits for it."""

import asyncio

from sqlalchemy import text

from tests.grants.api.conftest import API, PDF, meeting, run, someone_waits

OF_A_YEAR = ("expense", "evidence", "settlement_decision", "objection", "agreement_document")


async def test_whoever_waits_for_a_year_holds_nothing_of_it(
    client, year, auditor, colleague, applicant, officer, runtime
):
    await run(client, year, auditor)
    waive = {"kind": "waive", "rule": "G-042", "code": "NO_QUALIFIED_RECEIPT", "reason": "-"}
    good, bad = f"{API}/expenses/{year['good']}", f"{API}/expenses/{year['bad']}"
    proposed = [
        (await client.post(f"{good}/decisions", json=waive, headers=auditor)).json()["id"]
        for _ in range(2)
    ]
    await client.post(f"{year['url']}/settlement/open-objections", headers=auditor)
    made = await client.post(f"{bad}/objections", json={"text": "제출함"}, headers=applicant)
    objection = f"{API}/objections/{made.json()['id']}"
    await client.post(f"{good}/decisions", json={"kind": "ask", "reason": "-"}, headers=auditor)
    shown = (await client.get(good, headers=applicant)).json()
    evidence = f"{API}/evidence/{shown['evidence'][0]['id']}"
    slip = {"file": ("slip.pdf", PDF + b"new", "application/pdf")}
    kind = {"kind": "card_slip"}

    for case, request in {
        "edit": lambda: client.put(
            good, json=meeting(240_000), headers=applicant | {"If-Match": '"1"'}
        ),
        "attach": lambda: client.post(f"{good}/evidence", data=kind, files=slip, headers=applicant),
        "detach": lambda: client.delete(evidence, headers=applicant),
        "supply": lambda: client.post(f"{good}/supply", headers=applicant),
        "confirm": lambda: client.post(f"{API}/decisions/{proposed[0]}/confirm", headers=colleague),
        "withdraw": lambda: client.post(f"{API}/decisions/{proposed[1]}/withdraw", headers=auditor),
        "decide": lambda: client.post(f"{bad}/decisions", json=waive, headers=auditor),
        "object": lambda: client.post(
            f"{bad}/objections", json={"text": "다시"}, headers=applicant
        ),
        "answer": lambda: client.post(
            f"{objection}/answer", json={"outcome": "refused", "answer": "-"}, headers=auditor
        ),
    }.items():
        async with runtime.sessions.begin() as session:
            await session.execute(text("SELECT FROM agreement FOR UPDATE"))
            late = asyncio.create_task(request())
            await someone_waits(runtime)
            for table in OF_A_YEAR:  # what a run would take next
                await session.execute(text(f"SELECT FROM {table} FOR UPDATE NOWAIT"))
        answer = await late
        assert answer.status_code < 300, (case, answer.text)


async def test_whoever_decides_a_document_of_an_agreement_waits_for_it_first(
    client, drafted, applicant, officer, runtime
):
    handed = await client.post(
        f"{API}/agreements/{drafted['id']}/documents",
        data={"code": "pledge"},
        files={"file": ("pledge.pdf", PDF, "application/pdf")},
        headers=applicant,
    )
    paper = f"{API}/agreement-documents/{handed.json()['id']}"
    async with runtime.sessions.begin() as session:
        await session.execute(text("SELECT FROM agreement FOR UPDATE"))
        late = asyncio.create_task(client.post(f"{paper}/accept", headers=officer))
        await someone_waits(runtime)
        await session.execute(text("SELECT FROM agreement_document FOR UPDATE NOWAIT"))
        await session.execute(text("UPDATE agreement SET state = 'cancelled'"))
    assert (await late).status_code == 409  # what it decides by is as it is now
