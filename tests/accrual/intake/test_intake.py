"""A partner's rows, from the push to the results: once, whatever is repeated or dies."""

import asyncio
import signal
import sys
from uuid import uuid4

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.intake.service import store_file
from services.accrual.jobs import delete_file, process_batch, purge_intake, resume_batches
from shared.files import Files
from shared.tokens import Claims
from tests.accrual.world import APPLICATIONS, PDF, brn, deposit, practice

INTAKE = "/api/v1/accrual/intake"


def partner_of(world, institution_id=None, **claims):
    return world.person(
        "accrual:push",
        "accrual:read",
        role="partner",
        institution_id=institution_id or uuid4(),
        **{"institution_kind": "university", **claims},
    )


def ndjson(rows, first=0):
    return b"\n".join(
        orjson.dumps({"external_id": f"r{n}", "cells": cells})
        for n, cells in enumerate(rows, first)
    )


async def push(partner, body, external_id="batch", field="PRACTICE", **params):
    return await partner.call(
        "POST",
        f"{INTAKE}/batches",
        content=body,
        params={"field": field, "external_id": external_id, **params},
        headers={"Content-Type": "application/x-ndjson"},
    )


async def evidence(partner, *kinds):
    ids = []
    for kind in kinds:
        answer = await partner.call(
            "POST",
            f"{INTAKE}/files",
            files={"file": ("증빙.pdf", PDF, "application/pdf")},
            data={"kind": kind},
        )
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def processed(world, partner, body, external_id="batch", **params):
    answer = await push(partner, body, external_id, **params)
    assert answer.status_code == 202, answer.text
    batch_id = answer.json()["id"]
    await process_batch(world.runtime, batch_id)
    return await batch(partner, batch_id)


async def batch(partner, batch_id):
    answer = await partner.get(f"{INTAKE}/batches/{batch_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def results(partner, batch_id, **params):
    answer = await partner.get(f"{INTAKE}/batches/{batch_id}/rows", params=params)
    return {
        row["external_id"]: (row["status"], [item["code"] for item in row["findings"]])
        for row in answer.json()["items"]
    }


def counts(found):
    return found["accepted"], found["unchanged"], found["rejected"]


async def test_a_push_is_answered_at_once_and_lands_as_a_draft_with_a_result_for_each_row(world):
    partner = partner_of(world)
    rows = [practice(1), practice(2, brn="1048203591"), practice(3, brn=brn(3))]
    answer = await push(partner, ndjson(rows) + b"\nbroken\n")
    assert answer.status_code == 202
    queued = answer.json()
    assert (queued["state"], queued["total"], queued["done"]) == ("queued", 4, 0)
    assert answer.headers["location"] == f"{INTAKE}/batches/{queued['id']}"
    await process_batch(world.runtime, queued["id"])
    found = await batch(partner, queued["id"])
    assert (found["state"], found["done"], counts(found)) == ("finished", 4, (2, 0, 2))
    (made,) = found["applications"]
    assert (made["outcome"], made["state"], made["row_count"], made["mileage"]) == (
        "draft",
        "draft",
        2,
        900,
    )
    assert await results(partner, queued["id"]) == {
        "r0": ("accepted", []),
        "r1": ("rejected", ["BRN_CHECKSUM"]),
        "r2": ("accepted", []),
        None: ("rejected", ["ROW_MALFORMED"]),
    }
    only = await results(partner, queued["id"], status="accepted")
    assert set(only) == {"r0", "r2"}
    detail = await partner.detail(made["application_id"])
    assert (detail["source"], detail["memo"]) == ("partner", "batch")
    assert await world.sql("SELECT 1 FROM intake_chunk") == []


async def test_the_same_push_again_is_the_same_batch_and_another_content_is_refused(world):
    partner = partner_of(world)
    first = await processed(world, partner, ndjson([practice(1)]))
    again = await push(partner, ndjson([practice(1)]))
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert again.json()["state"] == "finished"
    for body, params in (
        (ndjson([practice(2)]), {}),
        (ndjson([practice(1)]), {"submit": True}),
        (ndjson([practice(1)]), {"field": "HIRING"}),
    ):
        other = await push(partner, body, **params)
        assert (other.status_code, other.json()["code"]) == (409, "BATCH_CONFLICT")
    assert len(await world.sql("SELECT 1 FROM application")) == 1


async def test_the_same_push_at_once_makes_one_batch(world):
    partner = partner_of(world)
    answers = await asyncio.gather(*(push(partner, ndjson([practice(1)])) for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await world.sql("SELECT 1 FROM intake_chunk")) == 1


async def test_a_row_known_by_its_id_is_unchanged_and_other_content_under_it_is_refused(world):
    partner = partner_of(world)
    await processed(world, partner, ndjson([practice(0), practice(1)]), "one")
    second = await processed(
        world, partner, ndjson([practice(0), practice(1, hours="40"), practice(2)]), "two"
    )
    assert counts(second) == (1, 1, 1)
    assert await results(partner, second["id"]) == {
        "r0": ("unchanged", []),
        "r1": ("rejected", ["EXTERNAL_ID_REUSED"]),
        "r2": ("accepted", []),
    }
    assert await world.sql("SELECT count(*) FROM application_row") == [(3,)]


async def test_a_row_whose_application_ended_may_be_pushed_again(world):
    partner = partner_of(world)
    first = await processed(world, partner, ndjson([practice(0)]), "one")
    application = first["applications"][0]["application_id"]
    assert (await partner.call("DELETE", f"{APPLICATIONS}/{application}")).status_code == 204
    second = await processed(world, partner, ndjson([practice(0, hours="40")]), "two")
    assert counts(second) == (1, 0, 0)
    assert await results(partner, first["id"]) == {"r0": ("superseded", [])}
    assert (await batch(partner, first["id"]))["applications"][0]["state"] is None


async def test_a_row_twice_in_one_push_is_taken_once(world):
    partner = partner_of(world)
    same = orjson.dumps({"external_id": "x", "cells": practice(1)})
    other = orjson.dumps({"external_id": "x", "cells": practice(2)})
    found = await processed(world, partner, b"\n".join([same, same, other]))
    assert counts(found) == (1, 1, 1)


async def test_a_large_push_becomes_applications_of_the_usual_size_cut_between_companies(world_of):
    world = await world_of(max_rows=10)
    partner = partner_of(world)
    rows = [practice(n, brn=brn(n % 5), allowance_won="4505000") for n in range(30)]
    found = await processed(world, partner, ndjson(rows))
    assert [made["row_count"] for made in found["applications"]] == [6, 6, 6, 6, 6]
    assert {made["mileage"] for made in found["applications"]} == {2703}
    assert counts(found) == (30, 0, 0)


async def test_what_another_application_claims_is_rejected_with_its_number(world):
    institution = uuid4()
    university = world.university(institution)
    await university.submitted([practice(1)])
    partner = partner_of(world, institution)
    found = await processed(world, partner, ndjson([practice(0), practice(1)]))
    assert counts(found) == (1, 0, 1)
    assert (await results(partner, found["id"]))["r1"] == ("rejected", ["DUPLICATE_CLAIM"])


async def test_rows_of_a_contract_with_an_error_are_held_back_together(world):
    partner = partner_of(world)
    rows = [
        deposit(contract_won="100000000", deposit_won="40000000"),
        deposit(contract_won="100000000", deposit_won="30000000"),
        deposit("2026-2", contract_won="50000000"),
    ]
    found = await processed(world, partner, ndjson(rows), field="RESEARCH")
    told = await results(partner, found["id"])
    assert {told["r0"][0], told["r1"][0]} == {"rejected"}
    assert sorted(told["r0"][1] + told["r1"][1]) == ["PAYMENT_INCOMPLETE", "ROW_HELD_BACK"]
    assert told["r2"] == ("accepted", [])


async def test_by_policy_the_applications_are_submitted_with_the_evidence_sent_before(world):
    partner = partner_of(world)
    ids = await evidence(partner, "OFFICIAL_LETTER", "PRACTICE_AGREEMENT")
    found = await processed(world, partner, ndjson([practice(1)]), submit=True, evidence=ids)
    (made,) = found["applications"]
    assert (made["outcome"], made["state"], made["findings"]) == ("submitted", "submitted", [])
    assert made["number"].endswith("-1")
    detail = await partner.detail(made["application_id"])
    assert {file["kind"] for file in detail["files"]} == {"OFFICIAL_LETTER", "PRACTICE_AGREEMENT"}
    content = await partner.get(
        f"{APPLICATIONS}/{made['application_id']}/files/{detail['files'][0]['id']}"
    )
    assert content.content == PDF


async def test_what_cannot_be_submitted_stays_a_draft_and_says_why(world):
    partner = partner_of(world)
    found = await processed(world, partner, ndjson([practice(1)]), submit=True)
    (made,) = found["applications"]
    assert (found["state"], made["outcome"], made["state"]) == ("finished", "refused", "draft")
    assert [item["code"] for item in made["findings"]] == ["EVIDENCE_MISSING"]
    assert await world.sql("SELECT 1 FROM number_counter") == []


async def test_evidence_is_the_partners_own_and_of_a_known_kind(world):
    partner, other = partner_of(world), partner_of(world)
    (foreign,) = await evidence(other, "OFFICIAL_LETTER")
    answer = await push(partner, ndjson([practice(1)]), evidence=foreign)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "EVIDENCE_UNKNOWN"
    selfie = await partner.call(
        "POST",
        f"{INTAKE}/files",
        files={"file": ("a.pdf", PDF, "application/pdf")},
        data={"kind": "SELFIE"},
    )
    assert selfie.json()["errors"][0]["code"] == "EVIDENCE_KIND"


async def test_a_json_array_is_taken_too(world):
    partner = partner_of(world)
    answer = await partner.call(
        "POST",
        f"{INTAKE}/batches",
        params={"field": "PRACTICE", "external_id": "a"},
        json=[{"external_id": "r0", "cells": practice(1)}],
    )
    assert (answer.status_code, answer.json()["total"]) == (202, 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"", 422, "NO_ROWS"), (b"{}\n" * 6, 422, "TOO_MANY_ROWS")],
)
async def test_pushes_out_of_bounds_are_refused_by_code(world_of, body, status, code):
    world = await world_of(intake_max_rows=5)
    answer = await push(partner_of(world), body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await world.sql("SELECT 1 FROM intake_batch") == []


async def files_deleted(world):
    """Run the jobs that delete files, as the worker would; again those it ran before."""
    jobs = await world.sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'files.delete'")
    for job in jobs:
        await delete_file(world.runtime, job.args["key"])


async def test_results_are_kept_for_their_time_and_the_claims_stay(world):
    partner = partner_of(world)
    ids = await evidence(partner, "OFFICIAL_LETTER", "PRACTICE_AGREEMENT")
    body = ndjson([practice(1), practice(2, hours="0")])
    old = await processed(world, partner, body, "old", submit=True, evidence=ids)
    new = await processed(world, partner, ndjson([practice(3)], 3), "new")
    await purge_intake(world.runtime)
    assert counts(await batch(partner, old["id"])) == (1, 0, 1)
    await world.change(
        "UPDATE intake_batch SET finished_at = now() - interval '401 days' WHERE id = :id",
        id=old["id"],
    )
    await purge_intake(world.runtime)
    assert (await partner.get(f"{INTAKE}/batches/{old['id']}")).status_code == 404
    assert await world.sql("SELECT external_id FROM intake_row") == [("r3",)]
    assert counts(await batch(partner, new["id"])) == (1, 0, 0)
    made = await partner.detail(old["applications"][0]["application_id"])
    assert (made["state"], made["row_count"]) == ("submitted", 1)
    again = await processed(world, partner, ndjson([practice(1)]), "again")
    assert await results(partner, again["id"]) == {"r0": ("rejected", ["DUPLICATE_CLAIM"])}


async def test_uploaded_evidence_goes_when_its_time_is_over_and_no_application_shows_it(world):
    partner = partner_of(world)
    used = await evidence(partner, "OFFICIAL_LETTER")
    (idle,) = await evidence(partner, "RECEIPT")
    (fresh,) = await evidence(partner, "RECEIPT")
    found = await processed(world, partner, ndjson([practice(1)]), evidence=used)
    application = found["applications"][0]["application_id"]
    keys = dict(await world.sql("SELECT id::text, key FROM intake_file"))
    await world.change(
        "UPDATE intake_file SET uploaded_at = now() - interval '61 days' WHERE id <> :id", id=fresh
    )
    await purge_intake(world.runtime)
    await files_deleted(world)
    assert await world.sql("SELECT id::text FROM intake_file") == [(fresh,)]
    stored = {name for name, key in keys.items() if await is_stored(world, key)}
    assert stored == {*used, fresh}
    late = await push(partner, ndjson([practice(2)]), "late", evidence=idle)
    assert late.json()["errors"][0]["code"] == "EVIDENCE_UNKNOWN"
    same = await push(partner, ndjson([practice(1)]), evidence=used)
    assert (same.status_code, same.json()["id"]) == (202, found["id"])
    assert (await partner.call("DELETE", f"{APPLICATIONS}/{application}")).status_code == 204
    await files_deleted(world)
    assert not await is_stored(world, keys[used[0]])


async def is_stored(world, key):
    try:
        return b"".join([chunk async for chunk in world.runtime.files.get(key)]) == PDF
    except FileNotFoundError:
        return False


async def test_bytes_that_could_not_be_put_on_record_do_not_stay(world, tmp_path):
    async def chunks():
        yield PDF

    too_long = Claims(
        sub="p" * 65,
        client_id="p",
        scope=frozenset(),
        role="partner",
        exp=0,
        iat=0,
        jti="",
        institution_id=str(uuid4()),
    )
    store = tmp_path / "store"
    files = Files(store.as_uri())
    async with world.runtime.sessions() as session:
        with pytest.raises(DBAPIError):
            await store_file(
                session, too_long, files, kind="RECEIPT", name="a.pdf", chunks=chunks()
            )
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert await world.sql("SELECT 1 FROM intake_file") == []


async def test_another_institutions_batches_do_not_exist(world):
    partner, stranger = partner_of(world), partner_of(world)
    found = await processed(world, partner, ndjson([practice(1)]))
    assert (await stranger.get(f"{INTAKE}/batches/{found['id']}")).status_code == 404
    assert (await stranger.get(f"{INTAKE}/batches/{found['id']}/rows")).status_code == 404
    assert (await stranger.get(f"{INTAKE}/batches")).json()["total"] == 0
    again = await push(stranger, ndjson([practice(5)]))
    assert again.status_code == 202


@pytest.mark.parametrize("kind", ["company", "agency", "operator"])
async def test_only_institutions_that_apply_may_push(world, kind):
    answer = await push(partner_of(world, institution_kind=kind), ndjson([practice(1)]))
    assert (answer.status_code, answer.json()["code"]) == (409, "INSTITUTION_UNFIT")


async def test_the_sandbox_is_apart_and_plays_the_review(world):
    institution = uuid4()
    sandbox = partner_of(world, institution, test_mode=True)
    ids = await evidence(sandbox, "OFFICIAL_LETTER", "PRACTICE_AGREEMENT")
    found = await processed(world, sandbox, ndjson([practice(1)]), submit=True, evidence=ids)
    (made,) = found["applications"]
    assert made["number"].startswith("T")
    university, operator = world.university(institution), world.operator()
    path = f"{APPLICATIONS}/{made['application_id']}"
    assert (await university.get(path)).status_code == 404
    assert (await operator.get(path)).status_code == 404
    await university.submitted([practice(1)])  # the same claim is free here
    simulate = f"{INTAKE}/sandbox/{made['application_id']}/simulate"
    answer = await sandbox.post(simulate, {"outcome": "approve"})
    assert (answer.status_code, answer.json()["state"]) == (200, "posted")
    assert await world.sql("SELECT 1 FROM transfer") == []
    live = partner_of(world, institution)
    refused = await live.post(simulate, {"outcome": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "SANDBOX_ONLY")


async def test_a_worker_killed_while_landing_leaves_the_batch_as_it_was_pushed(world):
    partner = partner_of(world)
    rows = [practice(n, brn=brn(n % 7)) for n in range(300)]
    answer = await push(partner, ndjson(rows))
    batch_id = answer.json()["id"]
    async with world.runtime.sessions.begin() as blocker:
        await (await blocker.connection()).exec_driver_sql(
            "LOCK TABLE application_row IN SHARE MODE"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.accrual.intake.landing_process",
            world.runtime.settings.database_url,
            batch_id,
        )
        try:
            await waiting_for_a_lock(world, process)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
    assert await world.sql("SELECT 1 FROM application") == []
    assert (await batch(partner, batch_id))["state"] == "queued"
    await world.change("DELETE FROM procrastinate_jobs")
    await world.change("UPDATE intake_batch SET created_at = created_at - interval '1 hour'")
    await resume_batches(world.runtime)
    jobs = await world.sql("SELECT args FROM procrastinate_jobs")
    assert [job.args["batch_id"] for job in jobs] == [batch_id]
    await process_batch(world.runtime, batch_id)
    await process_batch(world.runtime, batch_id)
    found = await batch(partner, batch_id)
    assert (found["state"], counts(found)) == ("finished", (300, 0, 0))
    assert await world.sql("SELECT count(*) FROM application_row") == [(300,)]


async def waiting_for_a_lock(world, process):
    for _ in range(300):
        if await world.sql(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE 'COPY application_row%'"
        ):
            return
        assert process.returncode is None
        await asyncio.sleep(0.1)
    raise AssertionError("it never came to write rows")
