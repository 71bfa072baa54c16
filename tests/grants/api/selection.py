"""What tests of the evaluation do again and again: assign, score, decide."""

from tests.grants.api.conftest import API

QUALITATIVE = ("need", "targets", "strategy", "curriculum", "industry_programme", "staff")
SMALL = ("papers", "teachers")
FACTS = {
    "lead_region": "gangwon",
    "partner_regions": [],
    "records": {"completed_jobs": [{"on": "2035-01-01", "proven": True}] * 5},
}


def sheet(grade: int = 10) -> dict[str, int]:
    """Every qualitative item at the same grade (10 = 최우수 … 2 = 불량)."""
    return dict.fromkeys(QUALITATIVE, grade) | dict.fromkeys(SMALL, grade // 2)


async def assign(client, call, officer, reviewers, institutions=()):
    return await client.post(
        f"{API}/programmes/{call}/reviewers",
        json={
            "reviewers": [
                {"reviewer_id": str(n), "name": f"위원 {i}", "institutions": list(institutions)}
                for i, n in enumerate(reviewers)
            ]
        },
        headers=officer,
    )


async def score(client, proposal, headers, scores, *, comment=""):
    """A reviewer rules out a conflict, fills the sheet and submits it."""
    url = f"{API}/evaluations/{proposal['id']}"
    await client.post(f"{url}/no-conflict", headers=headers)
    seen = await client.get(url, headers=headers)
    saved = await client.put(
        url,
        json={"scores": scores, "comment": comment},
        headers=headers | {"If-Match": seen.headers["etag"]},
    )
    assert saved.status_code == 200, saved.text
    return await client.post(f"{url}/submit", headers=headers)


async def decide(client, proposal, officer, action, reason="선정평가 결과"):
    return await client.post(
        f"{API}/received/{proposal['id']}/decide",
        json={"action": action, "reason": reason},
        headers=officer,
    )


async def finalise(client, call, officer, key="rank", **body):
    return await client.post(
        f"{API}/programmes/{call}/ranking",
        json=body or None,
        headers=officer | {"Idempotency-Key": key},
    )
