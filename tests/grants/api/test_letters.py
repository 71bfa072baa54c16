"""Who is written to about what, and that a letter goes out once."""

import json
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from services.auth.letters.schemas import LetterIn
from services.grants.jobs import send_letter
from services.grants.settings import Settings
from shared.http import RemoteProblem
from shared.problems import UpstreamUnavailable
from tests.grants.api.conftest import AGENCY, API, UNIVERSITY, conclude, hand_in, registry, run
from tests.grants.api.test_amendments import act, attach, begin
from tests.grants.api.test_procedure import ask


async def written(runtime) -> list[tuple[str, UUID]]:
    """The letters waiting to go out, in order: what about, and to whom."""
    query = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'letters.send' ORDER BY id")
    async with runtime.sessions() as session:
        found = await session.scalars(query)
        return [(args["kind"], UUID(args["institution_id"])) for args in found]


async def test_an_applicant_hears_of_completions_and_results(client, received, officer, runtime):
    await ask(client, received, officer)
    url = f"{API}/received/{received['id']}"
    await client.post(f"{url}/completions/close", json={"reason": "-"}, headers=officer)
    found = await client.post(
        f"{url}/pre-review",
        json={
            "eligible": False,
            "reason": "서류 미비",
            "checks": {
                point: {"holds": False, "remark": "-"}
                for point in ("eligibility", "private_share", "documents", "principal")
            },
        },
        headers=officer,
    )
    assert found.status_code == 200, found.text
    assert await written(runtime) == [("completion", UNIVERSITY), ("result", UNIVERSITY)]
    async with runtime.sessions() as session:
        named = await session.scalars(
            text("SELECT args -> 'account_ids' ->> 0 FROM procrastinate_jobs")
        )
        submitter = await session.scalar(text("SELECT submitted_by FROM submission"))
    assert set(named) == {submitter}


async def test_both_sides_hear_of_the_steps_of_an_agreement_and_its_amendment(
    client, drafted, applicant, officer, runtime
):
    handed = (await hand_in(client, drafted, applicant, "pledge")).json()
    paper = f"{API}/agreement-documents/{handed['id']}"
    await client.post(f"{paper}/return", json={"reason": "직인이 없습니다."}, headers=officer)
    assert (await conclude(client, drafted, applicant, officer)).status_code == 200
    made = await begin(client, drafted, applicant)
    url = f"{API}/amendments/{made.json()['id']}"
    await attach(client, url, applicant)
    await act(client, url, "request", applicant)
    await act(client, url, "return", officer, reason="-")
    await act(client, url, "request", applicant, key="2")
    await act(client, url, "approve", officer, reason="-")
    assert await written(runtime) == [
        ("agreement_prepared", UNIVERSITY),
        ("agreement_paper_returned", UNIVERSITY),
        ("agreement_concluded", UNIVERSITY),
        ("amendment_requested", AGENCY),
        ("amendment_returned", UNIVERSITY),
        ("amendment_requested", AGENCY),
        ("amendment_approved", UNIVERSITY),
    ]


async def test_both_sides_hear_of_a_settlement_and_of_nothing_that_did_not_happen(
    client, year, auditor, applicant, runtime
):
    await run(client, year, auditor)
    await run(client, year, auditor, "r2")  # it says the same: nobody is told again
    early = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert early.status_code == 409
    await client.post(f"{year['url']}/settlement/open-objections", headers=auditor)
    expense = f"{API}/expenses/{year['bad']}"
    made = await client.post(f"{expense}/objections", json={"text": "-"}, headers=applicant)
    waiting = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert waiting.status_code == 409
    await client.post(
        f"{API}/objections/{made.json()['id']}/answer",
        json={"outcome": "refused", "answer": "-"},
        headers=auditor,
    )
    good = f"{API}/expenses/{year['good']}"
    await client.post(f"{good}/decisions", json={"kind": "ask", "reason": "-"}, headers=auditor)
    await client.post(f"{good}/supply", headers=applicant)
    await run(client, year, auditor, "r3")
    done = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert done.status_code == 200, done.text
    assert await written(runtime) == [
        ("agreement_prepared", UNIVERSITY),
        ("usage_reported", AGENCY),
        ("settlement_run", UNIVERSITY),
        ("objections_open", UNIVERSITY),
        ("objection_made", AGENCY),
        ("objection_answered", UNIVERSITY),
        ("supplement_asked", UNIVERSITY),
        ("settlement_final", UNIVERSITY),
    ]


@pytest.fixture
def answered() -> list[int]:
    """What auth answers, first to last."""
    return [200]


@pytest.fixture
async def posted(runtime_of, answered):
    """A runtime whose auth service takes letters on, and the letters it was handed."""
    handed = []

    def auth(request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/internal/letters":
            return registry(request)
        handed.append(LetterIn.model_validate(json.loads(request.content)))
        status = answered.pop(0) if len(answered) > 1 else answered[0]
        return httpx2.Response(status, json={"recipients": 2})

    runtime = await runtime_of("grants", Settings, transport=httpx2.MockTransport(auth))
    return runtime, handed


ARGS = {
    "letter_id": str(uuid4()),
    "institution_id": str(UNIVERSITY),
    "account_ids": [str(uuid4())],
    "kind": "settlement_final",
    "params": {"title": "바이오가스", "due": 4_112_880},
}


async def test_a_letter_is_handed_to_auth_under_its_own_id_however_often(posted):
    runtime, handed = posted
    for _ in range(2):  # a worker died after the first
        await send_letter(runtime, **ARGS)
    first, second = handed
    assert first == second
    assert (str(first.id), first.institution_id) == (ARGS["letter_id"], UNIVERSITY)
    assert [str(one) for one in first.account_ids] == ARGS["account_ids"]
    assert "4,112,880원" in first.text


@pytest.mark.parametrize(
    ("answered", "error"), [([503], UpstreamUnavailable), ([409], RemoteProblem)]
)
async def test_what_auth_does_not_take_on_stays_with_the_job(posted, error):
    runtime, _handed = posted
    with pytest.raises(error):
        await send_letter(runtime, **ARGS)
