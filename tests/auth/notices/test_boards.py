"""The boards (M-054): who sees what, pins, read marks and files."""

import itertools
from uuid import UUID

import pytest

from services.auth.accounts.rules import Role
from services.auth.notices.rules import Audience, sees
from services.auth.notices.service import MAX_FILES
from tests.auth.conftest import code_of

NOTICES = "/api/v1/auth/notices"
PDF = b"%PDF-1.7\n" + b"x" * 1_000


class Board:
    def __init__(self, auth, headers):
        self.auth, self.headers = auth, headers

    async def call(self, verb, path="", *, seen=None, headers=None, **options):
        sent = dict(self.headers if headers is None else headers)
        if seen is not None:
            sent["If-Match"] = f'"{seen}"'
        return await self.auth.client.request(verb, NOTICES + path, headers=sent, **options)

    async def post(self, title, *, publish=True, **more):
        body = {"board": "notice", "title": title, "body": "본문입니다."} | more
        answer = await self.call("post", json=body)
        assert answer.status_code == 201, answer.text
        notice = answer.json()
        if publish:
            await self.call("post", f"/{notice['id']}/publish", seen=1)
        return notice["id"]

    async def titles(self, headers, query=""):
        answer = await self.call("get", query, headers=headers)
        return [item["title"] for item in answer.json()["items"]]

    async def attach(self, notice_id, name="안내.pdf", data=PDF):
        return await self.call("post", f"/{notice_id}/attachments", files={"file": (name, data)})


@pytest.fixture
async def board(auth):
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    return Board(auth, await auth.bearer("operator"))


@pytest.fixture
async def lead(auth):
    await auth.account(institution=await auth.institution("iacf", "한빛대학교산학협력단"))
    return await auth.bearer()


async def test_everyone_sees_public_posts_and_members_what_is_meant_for_them(auth, board, lead):
    own = (await auth.client.get("/api/v1/auth/institution", headers=lead)).json()["id"]
    other = (await auth.institution(name="봄대학교")).id
    await board.post("누구나", public=True)
    await board.post("회원 모두")
    await board.post("산단", kinds=["iacf", "university"])
    await board.post("기업", kinds=["company"])
    await board.post("우리 기관", institution_ids=[own])
    await board.post("다른 기관", institution_ids=[str(other)])
    await board.post("초안", publish=False, public=True)
    assert await board.titles({}) == ["누구나"]
    assert await board.titles(lead) == ["우리 기관", "산단", "회원 모두", "누구나"]
    assert len(await board.titles(board.headers)) == 7


async def test_the_list_and_the_single_post_agree_on_who_sees_what(auth, board, lead):
    own = UUID((await auth.client.get("/api/v1/auth/institution", headers=lead)).json()["id"])
    other = (await auth.institution(name="봄대학교")).id
    expected = {}
    audiences = itertools.product((True, False), ([], ["iacf"], ["company"]), ([], [own], [other]))
    for number, (public, kinds, ids) in enumerate(audiences):
        notice_id = await board.post(
            str(number), public=public, kinds=kinds, institution_ids=[str(one) for one in ids]
        )
        audience = Audience(public, kinds, ids)
        expected[notice_id] = sees(audience, kind="iacf", institution_id=own)
    listed = (await board.call("get", "?limit=200", headers=lead)).json()["items"]
    assert {item["id"] for item in listed} == {one for one, seen in expected.items() if seen}
    for notice_id, seen in expected.items():
        answer = await board.call("get", f"/{notice_id}", headers=lead)
        assert answer.status_code == (200 if seen else 404)


async def test_a_bad_token_is_refused_even_where_none_is_needed(board, tokens):
    answer = await board.call("get", headers=tokens.headers("accounts:admin"))
    assert code_of(answer) == (401, "TOKEN_INVALID")


async def test_pinned_posts_come_first_and_then_the_newest(board):
    await board.post("고정", public=True, pinned=True)
    for number in range(3):
        await board.post(str(number), public=True)
    assert await board.titles({}) == ["고정", "2", "1", "0"]
    first = (await board.call("get", "?limit=2", headers={})).json()
    second = await board.titles({}, f"?limit=2&cursor={first['next_cursor']}")
    assert [item["title"] for item in first["items"]] + second == ["고정", "2", "1", "0"]


async def test_reading_leaves_a_mark_and_the_bell_counts_down(board, lead):
    first = await board.post("하나")
    await board.post("둘", public=True)
    await board.post("자료", board="library")

    async def unread():
        return (await board.call("get", "/unread", headers=lead)).json()["unread"]

    assert await unread() == 2
    for _ in range(2):
        await board.call("get", f"/{first}", headers=lead)
    assert await unread() == 1
    items = (await board.call("get", "?board=notice", headers=lead)).json()["items"]
    assert {item["title"]: item["read"] for item in items} == {"하나": True, "둘": False}


async def test_contacts_of_the_institutions_a_post_is_for_get_a_letter_if_wished(auth, board):
    shared = {"admin_email": "Team@han.example", "manager_email": "team@han.example"}
    await auth.institution("iacf", "한빛대학교산학협력단", **shared)
    await auth.institution("company", "한마루정밀", brn="9998100015", manager_email="ha@ru.example")
    chosen = await auth.institution(name="봄대학교", manager_email="bom@bom.example")
    await auth.institution("iacf", "닫힌산단", status="suspended", manager_email="x@x.example")

    async def letters(title, *, mail, **audience):
        notice_id = await board.post(title, publish=False, **audience)
        path = f"/{notice_id}/publish" + ("?mail=true" if mail else "")
        assert (await board.call("post", path, seen=1)).status_code == 200
        known = len(auth.mail())
        await auth.run_jobs()
        return notice_id, auth.mail()[known:]

    to = {"kinds": ["iacf"], "institution_ids": [str(chosen.id)]}
    assert (await letters("조용히", mail=False, **to))[1] == []
    notice_id, sent = await letters("새 기준\n안내", mail=True, **to)
    assert {letter["To"] for letter in sent} == {"team@han.example", "bom@bom.example"}
    assert sent[0]["Subject"] == "[산학협력 마일리지] 새 기준 안내"
    assert f"http://tests.invalid/notices/{notice_id}" in sent[0].get_content()
    assert len((await letters("모두에게", mail=True))[1]) == 3
    query = "/api/v1/auth/audit/events?action=notice.mailed"
    events = (await auth.client.get(query, headers=board.headers)).json()["items"]
    assert [event["after"] for event in events] == [{"letters": 3}, {"letters": 2}]


async def test_a_withdrawn_post_is_gone_for_readers_and_can_come_back(board, lead):
    notice_id = await board.post("안내")
    assert (await board.call("post", f"/{notice_id}/withdraw", seen=2)).status_code == 200
    assert code_of(await board.call("get", f"/{notice_id}", headers=lead)) == (404, "NOT_FOUND")
    again = await board.call("post", f"/{notice_id}/withdraw", seen=3)
    assert code_of(again) == (409, "STATE_CONFLICT")
    assert (await board.call("post", f"/{notice_id}/publish", seen=3)).status_code == 200
    assert (await board.call("get", f"/{notice_id}", headers=lead)).status_code == 200


async def test_readers_are_not_told_whom_else_a_post_is_for(board, lead):
    notice_id = await board.post("안내", kinds=["iacf", "company"])
    seen = (await board.call("get", f"/{notice_id}", headers=lead)).json()
    assert (seen["kinds"], seen["institution_ids"]) == (None, None)
    assert (await board.call("get", f"/{notice_id}")).json()["kinds"] == ["company", "iacf"]


async def test_files_come_back_byte_for_byte_as_attachments(board, lead):
    notice_id = await board.post("자료", board="library")
    attached = (await board.attach(notice_id, "../안내문.pdf")).json()
    assert (attached["name"], attached["size"]) == ("안내문.pdf", len(PDF))
    path = f"/{notice_id}/attachments/{attached['id']}"
    file = await board.call("get", path, headers=lead)
    assert file.content == PDF
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert code_of(await board.call("get", path, headers={})) == (404, "NOT_FOUND")
    query = "/api/v1/auth/audit/events?action=notice.file_downloaded"
    [event] = (await board.auth.client.get(query, headers=board.headers)).json()["items"]
    assert (event["login_id"], event["after"]) == ("maru", {"name": "안내문.pdf"})
    assert (await board.call("delete", path)).status_code == 204
    assert code_of(await board.call("get", path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"MZ\x90\x00", "FILE_TYPE"),
        (PDF + b"x" * 10 * 2**20, "FILE_TOO_LARGE"),
    ],
    ids=["empty", "program", "large"],
)
async def test_files_that_may_not_be_attached_leave_nothing_behind(board, data, code):
    notice_id = await board.post("자료")
    answer = await board.attach(notice_id, data=data)
    assert [item["code"] for item in answer.json()["errors"]] == [code]
    assert (await board.call("get", f"/{notice_id}")).json()["files"] == []


async def test_a_post_has_room_for_ten_files(board):
    notice_id = await board.post("자료")
    for _ in range(MAX_FILES):
        assert (await board.attach(notice_id)).status_code == 201
    assert code_of(await board.attach(notice_id)) == (409, "TOO_MANY_FILES")


async def test_only_the_operator_writes(board, lead):
    notice_id = await board.post("안내")
    body = {"board": "notice", "title": "제목", "body": "본문"}
    for verb, path, options in (
        ("post", "", {"json": body}),
        ("put", f"/{notice_id}", {"json": body, "seen": 1}),
        ("post", f"/{notice_id}/publish", {"seen": 1}),
        ("post", f"/{notice_id}/withdraw", {"seen": 1}),
        ("post", f"/{notice_id}/attachments", {"files": {"file": ("a.pdf", PDF)}}),
    ):
        answer = await board.call(verb, path, headers=lead, **options)
        assert code_of(answer) == (403, "PERMISSION_DENIED"), path


async def test_two_authors_do_not_overwrite_each_other(board):
    notice_id = await board.post("안내", publish=False)
    body = {"board": "notice", "title": "새 제목", "body": "본문"}
    assert (await board.call("put", f"/{notice_id}", seen=1, json=body)).json()["version"] == 2
    stale = await board.call("put", f"/{notice_id}", seen=1, json=body)
    assert code_of(stale) == (412, "STALE")
