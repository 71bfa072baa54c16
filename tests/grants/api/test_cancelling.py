"""An agreement that was prepared and is not concluded: cancelled by the agency, with the reason."""

from tests.grants.api.conftest import API, concluded, hand_in, meeting


async def cancel(client, agreement, headers, key="x1", **body):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/cancel",
        json={"reason": "사업비를 다시 협의합니다."} | body,
        headers=headers | {"Idempotency-Key": key},
    )


async def prepare(client, drafted, officer, key="again"):
    return await client.post(
        f"{API}/received/{drafted['proposal_id']}/agree",
        json={"agreed_on": "2020-03-09"},
        headers=officer | {"Idempotency-Key": key},
    )


async def state_of(client, drafted, applicant) -> str:
    return (
        await client.get(f"{API}/proposals/{drafted['proposal_id']}", headers=applicant)
    ).json()["state"]


async def test_a_cancelled_draft_makes_room_for_another(client, drafted, applicant, officer):
    handed = (await hand_in(client, drafted, applicant, "pledge")).json()
    done = await cancel(client, drafted, officer)
    assert (done.status_code, done.json()["state"]) == (200, "cancelled"), done.text
    assert (await cancel(client, drafted, officer)).headers["Idempotency-Replayed"] == "true"
    assert await state_of(client, drafted, applicant) == "designated"
    # Nothing more comes of it ...
    url = f"{API}/agreements/{drafted['id']}"
    paper = f"{API}/agreement-documents/{handed['id']}"
    for answer in (
        await hand_in(client, drafted, applicant, "syllabus"),
        await client.post(f"{paper}/accept", headers=officer),
        await client.post(f"{url}/conclude", json={}, headers=officer | {"Idempotency-Key": "c"}),
        await client.post(
            f"{url}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "e"}
        ),
        await client.post(f"{API}/agreements/{drafted['id']}/close", headers=officer),
    ):
        assert answer.status_code == 409, answer.text
    # ... and another is prepared.
    second = await prepare(client, drafted, officer)
    assert (second.status_code, second.json()["state"]) == (201, "draft"), second.text
    third = await prepare(client, drafted, officer, key="third")
    assert third.status_code == 409


async def test_with_its_designation_the_applicant_is_told_and_a_reserve_may_follow(
    client, drafted, applicant, officer
):
    done = await cancel(
        client, drafted, officer, reason="협약을 포기하였습니다.", keep_designation=False
    )
    assert done.json()["state"] == "cancelled"
    assert await state_of(client, drafted, applicant) == "rejected"
    notices = await client.get(
        f"{API}/proposals/{drafted['proposal_id']}/results", headers=applicant
    )
    assert [(one["decision"], one["body"]["reason"]) for one in notices.json()] == [
        ("rejected", "협약을 포기하였습니다.")
    ]
    assert (await prepare(client, drafted, officer)).status_code == 409


async def test_only_the_agency_cancels_only_a_draft_and_says_why(
    client, drafted, applicant, officer, stranger, runtime
):
    assert (await cancel(client, drafted, applicant)).status_code == 403
    assert (await cancel(client, drafted, stranger("grants:manage"))).status_code == 404
    assert (await cancel(client, drafted, officer, reason="")).status_code == 422
    await concluded(runtime, drafted["id"])
    refused = await cancel(client, drafted, officer, key="late")
    assert (refused.status_code, refused.json()["code"]) == (409, "STATE_CONFLICT")
