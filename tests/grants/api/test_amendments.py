"""The plan is amended on request: checked at once, decided by the agency, kept as a version."""

from copy import deepcopy

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import API, PDF, document, meeting

DAY = "2020-09-01"


def moved(won: int = 2_000_000, source: str = "reagents", target: str = "meeting") -> dict:
    """The agreed document with grant money moved from one use to another."""
    raw = deepcopy(document())
    lines = {line["kind"]: line for line in raw["budget"]["lines"]}
    lines[source]["amount_won"] -= won
    lines[target]["amount_won"] += won
    return raw


async def begin(client, agreement, headers, raw=None, **more):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/amendments",
        json={"document": raw or moved(), "reason": "교육위원회 확대", "effective_on": DAY} | more,
        headers=headers,
    )


async def attach(client, url, headers, content=b"paper"):
    return await client.post(
        f"{url}/files",
        files={"file": ("내부결재.pdf", PDF + content, "application/pdf")},
        headers=headers,
    )


async def act(client, url, action, headers, key="k", **body):
    return await client.post(
        f"{url}/{action}",
        json=body or None,
        headers=headers | {"Idempotency-Key": f"{key}{action}"},
    )


@pytest.fixture
async def requested(client, agreement, applicant) -> str:
    """The path of a request the agency has received."""
    made = await begin(client, agreement, applicant)
    url = f"{API}/amendments/{made.json()['id']}"
    assert (await attach(client, url, applicant)).status_code == 200
    sent = await act(client, url, "request", applicant)
    assert (sent.status_code, sent.json()["state"]) == (200, "requested"), sent.text
    return url


async def test_an_approved_request_becomes_the_next_version_and_money_follows(
    client, agreement, requested, applicant, officer
):
    check = f"{API}/agreements/{agreement['id']}/expenses/pre-check"
    later = meeting(6_000_000, obligated_on="2020-10-05", paid_on="2020-10-05")
    before = (await client.post(check, json=later, headers=applicant)).json()
    assert before["recognisable_won"] == 5_000_000

    seen = (await client.get(requested, headers=officer)).json()
    assert [(item["item"], item["decision"]) for item in seen["check"]["decisions"]] == [
        ("materials", "approval"),
        ("technical_information", "approval"),
    ]
    assert seen["check"]["ok"]
    assert "ITEM_NEEDS_APPROVAL" in {item["code"] for item in seen["check"]["findings"]}
    approved = await act(client, requested, "approve", officer, reason="타당함")
    assert (approved.json()["state"], approved.json()["plan_version"]) == ("approved", 2)

    url = f"{API}/agreements/{agreement['id']}"
    assert (await client.get(url, headers=applicant)).json()["plan_version"] == 2
    listed = (await client.get(f"{url}/versions", headers=applicant)).json()
    assert [(one["version"], one["effective_on"]) for one in listed] == [(1, None), (2, DAY)]
    after = (await client.post(check, json=later, headers=applicant)).json()
    assert after["recognisable_won"] == 6_000_000
    # Before the day the amendment took effect, the plan of that time binds.
    early = (await client.post(check, json=meeting(6_000_000), headers=applicant)).json()
    assert early["recognisable_won"] == 5_000_000
    assert "OVER_EARLIER_PLAN" in {item["code"] for item in early["findings"]}
    # The version it replaced is what the approved request is compared with.
    kept = (await client.get(requested, headers=applicant)).json()["check"]["difference"]
    assert [(line["kind"], line["after_won"]) for line in kept["lines"]] == [
        ("reagents", 98_000_000),
        ("meeting", 7_000_000),
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (moved(target="common_support"), "BUDGET_FROZEN"),
        (moved(won=101_000_000), "AMOUNT_NEGATIVE"),
        (moved(won=4_000_000, target="incentive"), "CAP_EXCEEDED"),
        (moved(won=0), "NOTHING_AMENDED"),
    ],
)
async def test_a_request_against_the_rules_is_not_sent(client, agreement, applicant, raw, code):
    made = await begin(client, agreement, applicant, raw)
    url = f"{API}/amendments/{made.json()['id']}"
    refused = await act(client, url, "request", applicant)
    assert refused.status_code == 422
    codes = {item["code"] for item in refused.json()["errors"]}
    assert codes == {code, "DECISION_PAPER_MISSING"}
    preview = await client.post(
        f"{API}/agreements/{agreement['id']}/amendments/preview",
        json={"document": raw, "effective_on": DAY},
        headers=applicant,
    )
    assert not preview.json()["ok"]
    assert code in {item["code"] for item in preview.json()["findings"]}


async def test_a_plan_nobody_can_read_is_refused_by_place(client, agreement, applicant):
    raw = moved()
    raw["budget"]["lines"][0]["pay"]["rate"] = "a third"
    preview = await client.post(
        f"{API}/agreements/{agreement['id']}/amendments/preview",
        json={"document": raw, "effective_on": DAY},
        headers=applicant,
    )
    (finding,) = preview.json()["findings"]
    assert finding["pointer"] == "/document/budget/lines/0/pay/rate"
    assert preview.json()["difference"] is None


async def test_a_request_sent_back_is_mended_and_sent_again_or_rejected(
    client, requested, applicant, officer
):
    back = await act(client, requested, "return", officer, reason="사유를 보완하세요.")
    assert (back.json()["state"], back.json()["decision_reason"]) == (
        "returned",
        "사유를 보완하세요.",
    )
    seen = await client.get(requested, headers=applicant)
    body = {"document": moved(1_000_000), "reason": "구체적 사유", "effective_on": DAY}
    blind = await client.put(requested, json=body, headers=applicant | {"If-Match": '"1"'})
    assert blind.status_code == 412
    tag = {"If-Match": seen.headers["ETag"]}
    assert (await client.put(requested, json=body, headers=applicant | tag)).status_code == 200
    assert (await act(client, requested, "request", applicant, key="2")).status_code == 200
    no = await act(client, requested, "reject", officer, reason="불필요함")
    assert no.json()["state"] == "rejected"
    assert (await act(client, requested, "approve", officer, reason="-")).status_code == 409


async def test_what_changed_since_the_request_is_not_overwritten(
    client, agreement, requested, applicant, officer
):
    change = {"source": "books", "target": "meeting", "fund": "grant", "won": 1_000_000}
    made = await client.post(
        f"{API}/agreements/{agreement['id']}/changes",
        json={"kind": "reallocation", "body": change, "reason": "내부결재"},
        headers=applicant | {"Idempotency-Key": "c"},
    )
    assert made.status_code == 201
    answer = await act(client, requested, "approve", officer, reason="-")
    assert (answer.status_code, answer.json()["code"]) == (409, "AMENDMENT_OUTDATED")


async def test_the_agency_sets_another_day_but_not_one_outside_of_the_year(
    client, requested, officer
):
    late = {"reason": "-", "effective_on": "2021-03-01"}
    outside = await act(client, requested, "approve", officer, **late)
    assert [item["code"] for item in outside.json()["errors"]] == ["AMENDMENT_DAY"]
    approved = await act(
        client, requested, "approve", officer, key="2", reason="-", effective_on="2020-10-01"
    )
    assert approved.json()["effective_on"] == "2020-10-01"


async def test_one_request_is_open_at_a_time_and_a_closed_year_takes_none(
    client, agreement, requested, applicant, officer
):
    second = await begin(client, agreement, applicant)
    assert (second.status_code, second.json()["code"]) == (409, "AMENDMENT_OPEN")
    assert (await act(client, requested, "withdraw", applicant)).json()["state"] == "withdrawn"
    third = await begin(client, agreement, applicant)
    assert (third.status_code, third.json()["seq"]) == (201, 2)
    await client.post(f"{API}/agreements/{agreement['id']}/close", headers=officer)
    assert (await begin(client, agreement, applicant)).status_code == 409


async def test_the_agency_sees_a_request_once_it_is_sent_and_others_never(
    client, agreement, applicant, officer, stranger
):
    made = await begin(client, agreement, applicant)
    url, of = f"{API}/amendments/{made.json()['id']}", f"{API}/agreements/{agreement['id']}"
    assert (await client.get(url, headers=officer)).status_code == 404
    assert (await client.get(f"{of}/amendments", headers=officer)).json() == []
    assert (await act(client, url, "return", officer, reason="-")).status_code == 404
    await attach(client, url, applicant, b"ours")
    await act(client, url, "request", applicant)
    assert (await client.get(f"{url}/file", headers=officer)).content == PDF + b"ours"
    other = stranger("grants:apply", "grants:manage")
    for answer in (
        await client.get(url, headers=other),
        await client.get(f"{url}/file", headers=other),
        await client.get(f"{of}/amendments", headers=other),
        await begin(client, agreement, other),
        await attach(client, url, other),
        await act(client, url, "request", other),
        await act(client, url, "withdraw", other),
        await act(client, url, "approve", other, reason="-"),
        await act(client, url, "reject", other, reason="-"),
        await client.put(
            url,
            json={"document": {}, "reason": "-", "effective_on": DAY},
            headers=other | {"If-Match": '"1"'},
        ),
        await client.post(
            f"{of}/amendments/preview",
            json={"document": {}, "effective_on": DAY},
            headers=other,
        ),
    ):
        assert answer.status_code == 404


async def test_the_agency_reads_what_was_sent_while_it_is_being_mended(
    client, requested, agreement, applicant, officer
):
    await act(client, requested, "return", officer, reason="사유를 보완하세요.")
    seen = await client.get(requested, headers=applicant)
    body = {"document": moved(1_000_000), "reason": "쓰는 중", "effective_on": "2020-12-01"}
    edited = await client.put(
        requested, json=body, headers=applicant | {"If-Match": seen.headers["ETag"]}
    )
    assert edited.status_code == 200, edited.text
    await attach(client, requested, applicant, b"newer")

    theirs = (await client.get(requested, headers=officer)).json()
    assert theirs["document"] == moved()
    assert (theirs["amendment"]["reason"], theirs["amendment"]["effective_on"]) == (
        "교육위원회 확대",
        DAY,
    )
    assert [
        (line["kind"], line["after_won"]) for line in theirs["check"]["difference"]["lines"]
    ] == [
        ("reagents", 98_000_000),
        ("meeting", 7_000_000),
    ]
    assert (await client.get(f"{requested}/file", headers=officer)).content == PDF + b"paper"
    listed = await client.get(f"{API}/agreements/{agreement['id']}/amendments", headers=officer)
    assert [one["reason"] for one in listed.json()] == ["교육위원회 확대"]
    ours = (await client.get(requested, headers=applicant)).json()
    assert (ours["document"], ours["amendment"]["reason"]) == (moved(1_000_000), "쓰는 중")
    assert (await client.get(f"{requested}/file", headers=applicant)).content == PDF + b"newer"

    # What was written and never sent is not told by a withdrawal either.
    await act(client, requested, "withdraw", applicant)
    assert (await client.get(requested, headers=officer)).json()["document"] == moved()


async def test_the_agency_reads_the_new_request_once_it_is_sent_again(
    client, requested, applicant, officer, runtime
):
    await act(client, requested, "return", officer, reason="사유를 보완하세요.")
    seen = await client.get(requested, headers=applicant)
    body = {"document": moved(1_000_000), "reason": "구체적 사유", "effective_on": DAY}
    await client.put(requested, json=body, headers=applicant | {"If-Match": seen.headers["ETag"]})
    await attach(client, requested, applicant, b"newer")
    sent = await act(client, requested, "request", applicant, key="2")
    assert sent.status_code == 200, sent.text
    theirs = (await client.get(requested, headers=officer)).json()
    assert theirs["document"] == moved(1_000_000)
    assert (await client.get(f"{requested}/file", headers=officer)).content == PDF + b"newer"
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("UPDATE amendment_request SET reason = 'x'"))
