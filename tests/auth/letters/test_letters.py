"""A letter of another service: to everybody it is for, to nobody else, and once."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.auth.jobs import purge
from tests.auth.conftest import code_of

LETTERS = "/internal/letters"
WORDS = {
    "subject": "협약이  체결되었습니다\n",
    "text": "'바이오가스'의 협약이 체결되었습니다.",
    "text_en": "The agreement of '바이오가스' was concluded.",
}


@pytest.fixture
async def ours(auth):
    return await auth.institution(
        admin_email="head@hanbit.example", manager_email="desk@hanbit.example"
    )


@pytest.fixture
async def send(auth):
    headers = await auth.service_headers("grants", "letters:send")

    async def call(institution, *people, **more):
        body = {
            "id": str(uuid4()),
            "institution_id": str(institution.id),
            "account_ids": [str(one.id) for one in people],
            **WORDS,
            **more,
        }
        return await auth.client.post(LETTERS, json=body, headers=headers)

    return call


async def test_it_goes_to_the_contacts_and_to_the_people_named_each_once(auth, ours, send):
    writer = await auth.account("writer", institution=ours, email="writer@hanbit.example")
    same = await auth.account("same", institution=ours, email="Desk@hanbit.example")
    answer = await send(ours, writer, same)
    assert (answer.status_code, answer.json()) == (200, {"recipients": 3}), answer.text
    await auth.run_jobs()
    letters = auth.mail()
    assert sorted(letter["To"].casefold() for letter in letters) == [
        "desk@hanbit.example",
        "head@hanbit.example",
        "writer@hanbit.example",
    ]
    assert {letter["Subject"] for letter in letters} == {
        "[산학협력 마일리지] 협약이 체결되었습니다"
    }
    content = letters[0].get_content()
    assert content.startswith(WORDS["text"])
    assert WORDS["text_en"] in content
    assert auth.runtime.desk.portal in content


async def test_others_and_who_may_not_log_in_get_nothing(auth, ours, send):
    elsewhere = await auth.account(
        "other", institution=await auth.institution(name="봄대학교"), email="other@bom.example"
    )
    gone = await auth.account(
        "gone", institution=ours, email="gone@hanbit.example", status="disabled"
    )
    assert (await send(ours, elsewhere, gone)).json() == {"recipients": 2}
    async with auth.runtime.sessions.begin() as session:
        await session.execute(text("UPDATE institution SET status = 'suspended'"))
    writer = await auth.account("writer", institution=ours, email="writer@hanbit.example")
    assert (await send(ours, writer)).json() == {"recipients": 0}
    assert (await send(ours, writer, institution_id=str(uuid4()))).json() == {"recipients": 0}


async def test_the_same_letter_is_sent_once_and_another_under_its_id_is_refused(auth, ours, send):
    same = {"id": str(uuid4())}
    answers = await asyncio.gather(*(send(ours, **same) for _ in range(4)))
    assert [answer.json() for answer in answers] == [{"recipients": 2}] * 4
    await auth.run_jobs()
    assert len(auth.mail()) == 2
    other = await send(ours, **same, text="다른 글")
    assert code_of(other) == (409, "LETTER_CONFLICT")
    await purge(auth.runtime)  # what was taken on today is remembered
    assert (await send(ours, **same)).json() == {"recipients": 2}
    assert await auth.run_jobs() == 0
