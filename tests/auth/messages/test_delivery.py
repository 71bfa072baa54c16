"""Letters leave by a real mail server, text messages by an HTTP gateway, or lie in a directory."""

import asyncio
import stat

import httpx2
import pytest
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import SMTP
from sqlalchemy import select

from services.auth.messages import service as messages
from services.auth.messages.models import OutgoingMessage
from services.auth.messages.rules import Channel, Message

LETTER = Message(Channel.EMAIL, "sky@hanbit.example", "제목", "본문입니다.\n")
TEXT = Message(Channel.SMS, "01060500001", "", "임시 비밀번호 abc")


class Received(MessageHandler):
    def __init__(self):
        super().__init__()
        self.letters = []

    def handle_message(self, message):
        self.letters.append(message)


@pytest.fixture
async def mail_server():
    handler = Received()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    handler.port = server.sockets[0].getsockname()[1]
    yield handler
    server.close()
    await server.wait_closed()


async def queue(auth, message):
    async with auth.runtime.sessions.begin() as session:
        await messages.queue(session, auth.runtime.vault, message)


async def only_row(auth):
    async with auth.runtime.sessions() as session:
        return (await session.scalars(select(OutgoingMessage))).one()


async def test_a_letter_leaves_by_smtp_and_its_content_is_wiped(auth_with, mail_server):
    auth = await auth_with(smtp_host="127.0.0.1", smtp_port=mail_server.port, smtp_security="none")
    await queue(auth, LETTER)
    sealed = (await only_row(auth)).content
    assert b"hanbit" not in sealed
    await auth.run_jobs()
    [letter] = mail_server.letters
    assert letter["To"] == "sky@hanbit.example"
    assert letter["Message-ID"].endswith("@mileage.invalid>")
    assert "본문입니다." in letter.get_payload(decode=True).decode()
    row = await only_row(auth)
    assert (row.content, row.sent_at is not None) == (None, True)
    await messages.deliver(auth.runtime.sessions, auth.runtime.vault, auth.runtime.postman, row.id)
    assert len(mail_server.letters) == 1


async def test_a_letter_the_server_refuses_stays_queued(auth_with):
    auth = await auth_with(smtp_host="127.0.0.1", smtp_port=1, smtp_security="none")
    await queue(auth, LETTER)
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        await auth.run_jobs()
    assert (await only_row(auth)).content is not None


async def test_a_letter_of_a_failed_transaction_never_leaves(auth):
    async with auth.runtime.sessions() as session:
        await messages.queue(session, auth.runtime.vault, LETTER)
        await session.rollback()
    assert await auth.run_jobs() == 0
    assert auth.mail() == []


async def test_without_a_server_letters_lie_in_a_directory_only_the_owner_reads(auth):
    await queue(auth, LETTER)
    await auth.run_jobs()
    [letter] = auth.mail()
    assert (letter["Subject"], letter.get_content()) == ("제목", "본문입니다.\n")
    [file] = auth.runtime.settings.mail_directory.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_text_message_goes_to_the_gateway_with_an_id_it_can_recognise(auth_with):
    seen = []

    def gateway(request):
        seen.append(request)
        return httpx2.Response(202)

    auth = await auth_with(
        transport=httpx2.MockTransport(gateway),
        sms_url="https://sms.example/send",
        sms_key="key-of-the-sms-gateway",
    )
    await queue(auth, TEXT)
    await auth.run_jobs()
    [request] = seen
    assert request.headers["authorization"] == "Bearer key-of-the-sms-gateway"
    assert request.headers["idempotency-key"] == str((await only_row(auth)).id)
    assert b"01060500001" in request.content
