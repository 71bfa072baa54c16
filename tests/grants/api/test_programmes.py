"""The catalogue: drafts are the agency's own, published programmes everybody's."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import shipped_rule_set

URL = "/api/v1/grants/programmes"

EXTERNAL = {
    "kind": "external",
    "name": "해양물류 기업 지원",
    "ministry_name": "가람시",
    "agency_name": "가람산업진흥원",
    "target": "company",
    "benefit": "bonus",
    "opens_at": "2026-01-01T00:00:00+09:00",
    "closes_at": "2036-12-31T18:00:00+09:00",
    "bonus_rule": {"points_per_step": "0.1", "mileage_per_step": 1000, "max_points": "1.0"},
}
HOSTED = EXTERNAL | {
    "kind": "hosted",
    "name": "폐자원에너지화 특성화대학원",
    "target": "university",
    "benefit": "grant",
    "rule_set_code": "keco-2020",
    "rule_set_version": 1,
    "bonus_rule": None,
}


async def published(client, officer, body=EXTERNAL) -> dict:
    made = (await client.post(URL, json=body, headers=officer)).json()
    answer = await client.post(f"{URL}/{made['id']}/publish", headers=officer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_draft_is_seen_by_its_agency_only_and_a_published_call_by_everybody(
    client, officer, stranger
):
    made = (await client.post(URL, json=HOSTED, headers=officer)).json()
    assert (await client.get(f"{URL}/{made['id']}")).status_code == 404
    assert (await client.get(URL)).json()["items"] == []
    assert (
        await client.get(f"{URL}/managed/{made['id']}", headers=stranger("grants:manage"))
    ).status_code == 404
    assert (await client.get(f"{URL}/managed/{made['id']}", headers=officer)).status_code == 200

    await client.post(f"{URL}/{made['id']}/publish", headers=officer)
    seen = (await client.get(URL)).json()
    assert [item["name"] for item in seen["items"]] == ["폐자원에너지화 특성화대학원"]
    assert (await client.get(f"{URL}/{made['id']}")).json()["state"] == "published"


async def test_the_rules_of_a_published_call_are_everybodys(client, officer):
    made = (await client.post(URL, json=HOSTED, headers=officer)).json()
    assert (await client.get(f"{URL}/{made['id']}/rules")).status_code == 404
    await client.post(f"{URL}/{made['id']}/publish", headers=officer)
    rules = (await client.get(f"{URL}/{made['id']}/rules")).json()
    assert (rules["code"], rules["budget"]["unit_won"]) == ("keco-2020", 1000)
    elsewhere = await published(client, officer)
    answer = await client.get(f"{URL}/{elsewhere['id']}/rules")
    assert answer.json()["code"] == "RUN_ELSEWHERE"


async def test_another_agency_can_neither_edit_publish_nor_withdraw(client, officer, stranger):
    made = (await client.post(URL, json=EXTERNAL, headers=officer)).json()
    other = stranger("grants:manage")
    answers = [
        await client.put(f"{URL}/{made['id']}", json=EXTERNAL, headers=other | {"If-Match": '"1"'}),
        await client.post(f"{URL}/{made['id']}/publish", headers=other),
        await client.post(f"{URL}/{made['id']}/withdraw", json={"reason": "x"}, headers=other),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_two_officers_editing_one_draft_do_not_overwrite_each_other(client, officer):
    made = await client.post(URL, json=EXTERNAL, headers=officer)
    seen = {"If-Match": made.headers["etag"]}
    url = f"{URL}/{made.json()['id']}"
    first = await client.put(url, json=EXTERNAL | {"name": "하나"}, headers=officer | seen)
    second = await client.put(url, json=EXTERNAL | {"name": "둘"}, headers=officer | seen)
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "STALE"
    assert (await client.put(url, json=EXTERNAL, headers=officer)).status_code == 428


async def test_a_published_programme_is_no_longer_edited_but_can_be_withdrawn(client, officer):
    made = await published(client, officer)
    url = f"{URL}/{made['id']}"
    answer = await client.put(url, json=EXTERNAL, headers=officer | {"If-Match": '"2"'})
    assert (answer.status_code, answer.json()["code"]) == (409, "STATE_CONFLICT")
    gone = await client.post(f"{url}/withdraw", json={"reason": "예산 취소"}, headers=officer)
    assert gone.json()["state"] == "withdrawn"
    assert (await client.get(url)).status_code == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"closes_at": "2025-01-01T00:00:00+09:00"}, ""),
        ({"kind": "hosted"}, ""),
        ({"rule_set_code": "keco-2020"}, ""),
        ({"opens_at": "2026-01-01T00:00:00"}, "/opens_at"),
        (
            {"bonus_rule": {"points_per_step": "1e8", "mileage_per_step": 0, "max_points": "-1"}},
            "/bonus_rule/points_per_step",
        ),
        ({"url": "javascript:alert(1)"}, "/url"),
    ],
)
async def test_a_programme_that_makes_no_sense_is_refused_with_its_place(
    client, officer, change, place
):
    answer = await client.post(URL, json=EXTERNAL | change, headers=officer)
    assert answer.status_code == 422
    assert place in {item["pointer"] for item in answer.json()["errors"]}


async def test_an_unknown_rule_set_is_refused(client, officer):
    answer = await client.post(URL, json=HOSTED | {"rule_set_version": 99}, headers=officer)
    assert (answer.status_code, answer.json()["code"]) == (404, "RULE_SET_UNKNOWN")


async def test_bookmarking_twice_is_bookmarking_once(client, officer, applicant):
    made = await published(client, officer)
    for _ in range(2):
        await client.put(f"{URL}/{made['id']}/bookmark", headers=applicant)
    listed = (await client.get(f"{URL}/bookmarked", headers=applicant)).json()
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    for _ in range(2):
        answer = await client.delete(f"{URL}/{made['id']}/bookmark", headers=applicant)
        assert answer.status_code == 204
    assert (await client.get(f"{URL}/bookmarked", headers=applicant)).json()["total"] == 0


async def test_the_catalogue_is_searched_by_words_target_and_timing(client, officer):
    await published(client, officer)
    await published(client, officer, HOSTED | {"closes_at": "2026-02-01T00:00:00+09:00"})

    async def names(**query) -> set[str]:
        items = (await client.get(URL, params=query)).json()["items"]
        return {item["name"] for item in items}

    assert await names(q="물류") == {"해양물류 기업 지원"}
    assert await names(q="%") == set()
    assert await names(target="university") == {"폐자원에너지화 특성화대학원"}
    assert await names(timing="open") == {"해양물류 기업 지원"}
    assert await names(timing="closed") == {"폐자원에너지화 특성화대학원"}


async def test_a_rule_set_is_registered_once_and_never_changed(client, officer, applicant):
    body = json.loads(shipped_rule_set())
    body["code"] = "another-2027"
    text_of = json.dumps(body, ensure_ascii=False)
    url = "/api/v1/grants/rule-sets"
    first = await client.post(url, content=text_of, headers=officer)
    assert (first.status_code, first.json()["code"]) == (201, "another-2027")
    assert (await client.post(url, content=text_of, headers=officer)).status_code == 201
    body["version"], body["name"]["ko"] = body["version"], "다른 이름"
    changed = await client.post(url, content=json.dumps(body), headers=officer)
    assert (changed.status_code, changed.json()["code"]) == (409, "STATE_CONFLICT")
    kept = await client.get(f"{url}/another-2027/{body['version']}", headers=applicant)
    assert kept.text == text_of


async def test_a_wrong_rule_set_lists_every_mistake_by_its_place(client, officer):
    body = json.loads(shipped_rule_set())
    body["budget"]["unit_won"] = "thousand"
    del body["call"]["awards"]
    body["call"]["surprise"] = 1
    answer = await client.post(
        "/api/v1/grants/rule-sets", content=json.dumps(body), headers=officer
    )
    assert answer.json()["code"] == "RULE_SET_INVALID"
    found = {(item["pointer"], item["code"]) for item in answer.json()["errors"]}
    assert found == {
        ("/budget/unit_won", "RULE_SET_VALUE"),
        ("/call/awards", "RULE_SET_KEY_MISSING"),
        ("/call/surprise", "RULE_SET_KEY_UNKNOWN"),
    }


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET action = 'x'", "TRUNCATE rule_set CASCADE"]
)
async def test_the_database_itself_refuses_to_change_history(client, officer, runtime, statement):
    await published(client, officer)
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text(statement))


async def test_what_is_run_elsewhere_is_neither_reviewed_nor_ranked_here(client, officer):
    programme = await published(client, officer)
    url = f"{URL}/{programme['id']}"
    reviewer = {"reviewer_id": str(uuid4()), "name": "윤서"}
    answers = [
        await client.post(f"{url}/reviewers", json={"reviewers": [reviewer]}, headers=officer),
        await client.get(f"{url}/ranking", headers=officer),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "RUN_ELSEWHERE")
    ] * 2


async def test_a_rule_set_number_beyond_all_numbers_is_refused(client, officer):
    answer = await client.get(f"/api/v1/grants/rule-sets/keco-2020/{10**20}", headers=officer)
    assert answer.status_code == 422
