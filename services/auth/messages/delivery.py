"""Ways out: an SMTP server and an HTTP gateway for text messages, or files in the data directory
where neither is set. Nothing is pretended: without a server the letter lies in that directory."""

import os
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import aiosmtplib
import anyio.to_thread
import httpx2

from services.auth.messages.rules import Channel, Message
from services.auth.settings import Settings

TIMEOUT_SECONDS = 20.0


class Postman:
    """Sends a message by the way its channel has. Raises what the way raises; the job retries."""

    def __init__(self, settings: Settings, http: httpx2.AsyncClient) -> None:
        self._settings = settings
        self._http = http

    async def send(self, message: Message, message_id: UUID) -> None:
        if message.channel == Channel.EMAIL:
            letter = _letter(message, message_id, self._settings.mail_from)
            if self._settings.smtp_host:
                await self._by_smtp(letter)
            else:
                await self._as_file(f"{message_id}.eml", letter.as_bytes())
        elif self._settings.sms_url:
            await self._by_http(message, message_id)
        else:
            text = f"To: {message.recipient}\n\n{message.text}\n"
            await self._as_file(f"{message_id}.txt", text.encode())

    async def _by_smtp(self, letter: EmailMessage) -> None:
        settings = self._settings
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        await aiosmtplib.send(
            letter,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=password,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=TIMEOUT_SECONDS,
        )

    async def _by_http(self, message: Message, message_id: UUID) -> None:
        """`POST {"to", "text"}` with a bearer key; the id lets the gateway drop repetitions."""
        headers: Mapping[str, str] = {"Idempotency-Key": str(message_id)}
        if self._settings.sms_key:
            key = self._settings.sms_key.get_secret_value()
            headers = {**headers, "Authorization": f"Bearer {key}"}
        response = await self._http.post(
            self._settings.sms_url,
            json={"to": message.recipient, "text": message.text},
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
        response.raise_for_status()

    async def _as_file(self, name: str, content: bytes) -> None:
        def write() -> None:
            directory = self._settings.mail_directory
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            target, draft = directory / name, directory / f".{name}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(draft).replace(target)

        await anyio.to_thread.run_sync(write)


def _letter(message: Message, message_id: UUID, sender: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = sender
    letter["To"] = message.recipient
    letter["Subject"] = message.subject
    letter["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2].rstrip('>')}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    return letter
