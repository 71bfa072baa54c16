"""One call from its notice to the agreement, as an officer, two applicants and five reviewers live
through it. Every number is worked out beside the line that expects it."""

from datetime import timedelta
from uuid import uuid4

from shared.clock import seoul_day, utc_now
from tests.grants.api.conftest import (
    API,
    CHECKS,
    PDF,
    SECOND,
    conclude,
    document,
    pass_pre_review,
    save,
    submit,
)
from tests.grants.api.selection import decide, score, sheet


async def propose(client, call, headers, title, university, **targets) -> dict:
    """A draft, checked, written and received."""
    made = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": title}, headers=headers
    )
    assert made.status_code == 201, made.text
    body = document() | {"targets": targets}
    body["applicant"]["schools"] = [{"university": university, "lead": True}]
    draft = made.json()
    checked = await client.post(f"{API}/programmes/{call}/check", json=body, headers=headers)
    assert checked.json()["ok"], checked.text
    await save(client, draft, headers, body)
    received = await submit(client, draft, headers)
    assert received.json()["proposal"]["state"] == "submitted"
    return draft


async def test_a_call_from_its_notice_to_the_agreement(
    client, call, officer, applicant, tokens, reviewers
):
    # The notice is public; two universities answer it.
    notice = (await client.get(f"{API}/programmes/{call}")).json()
    assert (notice["kind"], notice["state"]) == ("hosted", "published")
    second = tokens.headers(
        "grants:read", "grants:apply", institution_id=SECOND, institution_kind="iacf"
    )
    ours = await propose(
        client, call, applicant, "바이오가스", "한빛대학교", graduates=10, undergraduates=8
    )
    theirs = await propose(
        client, call, second, "소각열 회수", "샛별대학교", graduates=10, undergraduates=5
    )
    received = (await client.get(f"{API}/programmes/{call}/received", headers=officer)).json()
    assert received["total"] == 2

    # Pre-review: the first lacks a paper, is asked for it, and is looked at again.
    url = f"{API}/received/{ours['id']}"
    await client.post(f"{url}/pre-review/start", headers=officer)
    asked = await client.post(
        f"{url}/completions",
        json={
            "items": ["장비 구입가를 증빙할 수 있는 자료 2부"],
            "due_at": (utc_now() + timedelta(days=5)).isoformat(),
        },
        headers=officer,
    )
    assert asked.status_code == 201
    own = f"{API}/proposals/{ours['id']}"
    (wanted,) = (await client.get(f"{own}/completions", headers=applicant)).json()
    assert wanted["items"] == ["장비 구입가를 증빙할 수 있는 자료 2부"]
    await client.post(
        f"{own}/completions/files",
        files={"file": ("구입가.pdf", PDF, "application/pdf")},
        headers=applicant,
    )
    await client.post(
        f"{own}/completions/answer",
        json={"text": "구입가 증빙을 붙입니다."},
        headers=applicant | {"Idempotency-Key": "answer"},
    )
    body = {"eligible": True, "checks": CHECKS}
    assert (await client.post(f"{url}/pre-review", json=body, headers=officer)).json()[
        "state"
    ] == "eligible"
    await pass_pre_review(client, theirs, officer)

    # A site visit to the first.
    visit = await client.post(
        f"{url}/site-visits",
        json={
            "on_day": str(seoul_day(utc_now())),
            "place": "환경관 3층",
            "purpose": "연구장비 확인",
            "members": [{"name": "박위원"}],
        },
        headers=officer,
    )
    await client.post(
        f"{API}/site-visits/{visit.json()['id']}/record",
        json={"findings": "사업계획서와 같음"},
        headers=officer,
    )

    # Five reviewers: one is of the second university, one knows its principal investigator.
    insider, friend = uuid4(), uuid4()
    panel = [
        *({"reviewer_id": str(one), "name": f"위원 {n}"} for n, one in enumerate(reviewers)),
        {"reviewer_id": str(insider), "name": "최위원", "institutions": ["샛별대학교 공과대학"]},
        {"reviewer_id": str(friend), "name": "정위원"},
    ]
    sheets = await client.post(
        f"{API}/programmes/{call}/reviewers", json={"reviewers": panel}, headers=officer
    )
    recused = [one for one in sheets.json() if one["state"] == "recused"]
    assert [(one["reviewer_id"], one["proposal_id"]) for one in recused] == [
        (str(insider), theirs["id"])
    ]
    login = {
        one: tokens.headers("grants:read", "grants:evaluate", sub=str(one))
        for one in (insider, friend)
    }
    await client.post(
        f"{API}/evaluations/{theirs['id']}/conflict",
        json={"reason": "수행책임자의 지도교수"},
        headers=login[friend],
    )

    # Facts once by the secretary, sheets by the reviewers.
    for proposal, region, jobs in ((ours, "gangwon", 5), (theirs, "seoul", 3)):
        await client.put(
            f"{API}/received/{proposal['id']}/facts",
            json={
                "lead_region": region,
                "records": {"completed_jobs": [{"on": "2035-01-01", "proven": True}] * jobs},
            },
            headers=officer,
        )
    for headers, grade, other in zip(reviewers.values(), (8, 8, 6), (10, 8, 10), strict=True):
        assert (await score(client, ours, headers, sheet(grade))).status_code == 200
        await score(client, theirs, headers, sheet(other), comment="계획이 구체적입니다.")
    for headers in login.values():
        assert (await score(client, ours, headers, sheet(8))).status_code == 200

    # The ranking, first as a preview, then for good.
    rank = f"{API}/programmes/{call}/ranking"
    preview = (await client.get(rank, headers=officer)).json()
    final = await client.post(rank, headers=officer | {"Idempotency-Key": "rank"})
    assert final.json() == preview
    first, last = final.json()["items"]
    # Ours: 18 of 15 → 10, C/G 30 % → 10, five jobs → 10; (4 × 56 + 42) / 5 = 266/5; Gangwon 5.
    assert (first["proposal_id"], first["total"], first["shown"]) == (ours["id"], "441/5", "88.2")
    # Theirs: 15 of 15 → 6, 30 % → 10, three jobs → 6; (70 + 56 + 70) / 3 = 196/3; Seoul 0.
    assert (last["proposal_id"], last["total"], last["shown"]) == (theirs["id"], "262/3", "87.33")
    assert len(last["counted"]) == 3
    replayed = await client.post(rank, headers=officer | {"Idempotency-Key": "rank"})
    assert replayed.headers["idempotency-replayed"] == "true"

    # Decisions, told to each applicant with its own reasons.
    for proposal, action, state in (
        (ours, "prefer", "preferred"),
        (theirs, "reserve", "reserve"),
        (ours, "negotiate", "negotiation"),
        (ours, "designate", "designated"),
    ):
        moved = await decide(client, proposal, officer, action, "선정평가 결과에 따름")
        assert moved.json()["state"] == state, moved.text
    assert (await decide(client, theirs, officer, "prefer")).json()["code"] == "AWARDS_FULL"
    told = await client.get(f"{API}/proposals/{theirs['id']}/results", headers=second)
    (reserve,) = told.json()
    assert reserve["body"]["evaluation"]["shown"] == "87.33"
    assert reserve["body"]["evaluation"]["comments"] == ["계획이 구체적입니다."] * 3
    assert "한빛대학교" not in told.text
    assert "88.2" not in told.text
    foreign = await client.get(f"{API}/proposals/{ours['id']}/results", headers=second)
    assert foreign.status_code == 404

    # The agreement.
    agreed = await client.post(
        f"{url}/agree",
        json={"agreed_on": "2020-03-02"},
        headers=officer | {"Idempotency-Key": "agree"},
    )
    assert (agreed.status_code, agreed.json()["state"]) == (201, "draft")
    concluded = await conclude(client, agreed.json(), applicant, officer)
    assert concluded.json()["state"] == "active"
    story = (await client.get(f"{own}/history", headers=applicant)).json()
    assert [event["to_state"] for event in story if event["to_state"]] == [
        "draft", "submitted", "pre_review", "completion", "pre_review", "eligible", "scored",
        "preferred", "negotiation", "designated", "agreed",
    ]  # fmt: skip
