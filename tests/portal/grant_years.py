"""What a proposal went through before a journey begins: one function a step, through the API."""

from typing import Any

from deploy.demo.budget import proposal_document
from deploy.demo.client import User
from tests.portal.test_grants import GRANTS, Api

TITLE = "바이오가스 인력양성"
REVIEWERS = ("evaluator1", "evaluator2", "evaluator3")


def submitted(university: User, call: dict[str, Any]) -> str:
    made = university.post(
        f"{GRANTS}/programmes/{call['id']}/proposals", {"title": TITLE}, expect=201
    )
    url = f"{GRANTS}/proposals/{made['id']}"
    document = proposal_document(overhead_won=9_200_000)
    university.put(url, {"title": TITLE, "document": document}, headers=made.tag)
    university.post(f"{url}/submit", once=True)
    return str(made["id"])


def eligible(officer: User, proposal: str) -> None:
    url = f"{GRANTS}/received/{proposal}"
    officer.post(f"{url}/pre-review/start")
    points = officer.get(f"{url}/pre-review")["points"]
    checks = {point["code"]: {"holds": True} for point in points}
    officer.post(f"{url}/pre-review", {"eligible": True, "checks": checks})
    jobs = [{"on": "2026-01-02", "proven": True}] * 4
    officer.put(f"{url}/facts", {"lead_region": "gangwon", "records": {"completed_jobs": jobs}})


def assigned(api: Api, call: dict[str, Any]) -> None:
    reviewers = [
        {"reviewer_id": api(login).subject, "name": f"평가위원 {number}"}
        for number, login in enumerate(REVIEWERS, start=1)
    ]
    url = f"{GRANTS}/programmes/{call['id']}/reviewers"
    api("officer").post(url, {"reviewers": reviewers})


def scored(reviewer: User, proposal: str) -> None:
    """With the best of each item."""
    url = f"{GRANTS}/evaluations/{proposal}"
    reviewer.post(f"{url}/no-conflict")
    seen = reviewer.get(url)
    scores = {item["code"]: item["scores"][0] for item in seen["items"] if not item["quantitative"]}
    reviewer.put(url, {"scores": scores, "comment": "적정함"}, headers=seen.tag)
    reviewer.post(f"{url}/submit")
