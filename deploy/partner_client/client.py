"""The partner's side of the intake: push rows, follow the job, read what became of each row."""

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx2

from .answers import Batch, PartnerError, Result, Unreachable

Row = Mapping[str, Any]
"""`{"external_id": "2026-1-0001", "cells": {"brn": "1048203590", …}}`; cells by column key."""

ATTEMPTS = 5
RETRIED = frozenset({429, 502, 503, 504})
LONGEST_PAUSE = 60.0
TOKEN_MARGIN = 60.0  # seconds a token must still be good for
POLL_FIRST, POLL_LAST = 0.5, 5.0
PAGE = 1_000

_INTAKE = "/api/v1/accrual/intake"
_WEBHOOKS = "/api/v1/accrual/webhooks"
_APPLICATIONS = "/api/v1/accrual/applications"


class PartnerClient:
    """One partner system's access; use it in a `with` block. Not for several threads at once.

    A secret that begins with `mlk_test_` opens the sandbox: the same calls, on data of its own.
    Every call is repeated when the network or the platform falters, and does its work once: a
    batch by its `external_id`, everything else by an `Idempotency-Key` that all attempts share.
    Raises `PartnerError` for a refusal and `Unreachable` when nobody answers.

    `http` is a client of your own, for proxies and certificates; its address is then the one used.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx2.Client | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._http = http or httpx2.Client(base_url=url, timeout=httpx2.Timeout(60, connect=5))
        self._credentials = (client_id, client_secret)
        self._attempts = attempts
        self._token = ""
        self._token_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._http.close()

    # --- rows -----------------------------------------------------------------------------

    def upload(self, path: str | Path, *, kind: str) -> str:
        """Store a piece of evidence (`OFFICIAL_LETTER`, …; 10 MiB at most) for batches to come.

        The answer is the id to name it by. Uploads no batch names are forgotten in time.
        """
        path = Path(path)
        with path.open("rb") as file:

            def body() -> dict[str, Any]:
                file.seek(0)
                return {"files": {"file": (path.name, file)}, "data": {"kind": kind}}

            return str(self._ask("POST", f"{_INTAKE}/files", body)["id"])

    def push(
        self,
        rows: Iterable[Row],
        *,
        field: str,
        external_id: str,
        submit: bool = False,
        evidence: Sequence[str] = (),
    ) -> Batch:
        """Send rows of one accrual field, a hundred thousand at most; they are judged later.

        The rows pass through a temporary file, so that they may come from anywhere, in any number,
        and can be sent again. `submit` hands in what passes the checks; without it the rows wait as
        drafts. The same `external_id` with the same rows is the same batch, however often sent.
        """
        with tempfile.TemporaryFile() as spool:
            for row in rows:
                spool.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

            def body() -> dict[str, Any]:
                spool.seek(0)
                return {"content": spool}

            answer = self._ask(
                "POST",
                f"{_INTAKE}/batches",
                body,
                params={
                    "field": field,
                    "external_id": external_id,
                    "submit": submit,
                    "evidence": list(evidence),
                },
                headers={"Content-Type": "application/x-ndjson"},
            )
        return Batch.of(answer)

    def batch(self, batch_id: str) -> Batch:
        return Batch.of(self._ask("GET", f"{_INTAKE}/batches/{batch_id}"))

    def follow(self, batch_id: str, *, timeout: float = 3_600.0) -> Iterator[Batch]:
        """The batch as it progresses; the last one is finished. Raises `TimeoutError`."""
        deadline, pause = time.monotonic() + timeout, POLL_FIRST
        while not (batch := self.batch(batch_id)).is_finished:
            yield batch
            if time.monotonic() > deadline:
                raise TimeoutError(f"batch {batch_id} is not finished after {timeout:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_LAST)
        yield batch

    def wait(self, batch_id: str, *, timeout: float = 3_600.0) -> Batch:
        """The finished batch. Raises `TimeoutError`."""
        *_, finished = self.follow(batch_id, timeout=timeout)
        return finished

    def results(self, batch_id: str, *, status: str | None = None) -> Iterator[Result]:
        """What became of each row, in the order they were sent; fetched page by page."""
        params: dict[str, Any] = {"limit": PAGE} | ({"status": status} if status else {})
        while True:
            page = self._ask("GET", f"{_INTAKE}/batches/{batch_id}/rows", params=params)
            yield from map(Result.of, page["items"])
            if page["next_cursor"] is None:
                return
            params["cursor"] = page["next_cursor"]

    # --- applications ---------------------------------------------------------------------

    def application(self, application_id: str) -> dict[str, Any]:
        """An application with its companies, evidence, and what a reviewer asked for."""
        found: dict[str, Any] = self._ask("GET", f"{_APPLICATIONS}/{application_id}")
        return found

    def submit(self, application_id: str, *, key: str | None = None) -> dict[str, Any]:
        """Hand in a draft. `key` is an Idempotency-Key of your own, to survive your own crashes."""
        headers = {"Idempotency-Key": key} if key else {}
        path = f"{_APPLICATIONS}/{application_id}/submit"
        submitted: dict[str, Any] = self._ask("POST", path, headers=headers)
        return submitted

    def simulate(self, application_id: str, outcome: str) -> dict[str, Any]:
        """In the sandbox: `approve`, `return` or `reject` what was submitted."""
        path = f"{_INTAKE}/sandbox/{application_id}/simulate"
        reviewed: dict[str, Any] = self._ask("POST", path, lambda: {"json": {"outcome": outcome}})
        return reviewed

    # --- webhooks -------------------------------------------------------------------------

    def register_webhook(self, url: str, *, events: Sequence[str] = ()) -> tuple[str, str]:
        """Have events sent to an address; none named means all. The endpoint's id and secret."""
        wanted = {"url": url, "events": list(events)}
        endpoint = self._ask("POST", _WEBHOOKS, lambda: {"json": wanted})
        return str(endpoint["id"]), self.webhook_secret(endpoint["id"])

    def webhook_secret(self, endpoint_id: str) -> str:
        """What `verify` needs."""
        return str(self._ask("GET", f"{_WEBHOOKS}/{endpoint_id}/secret")["secret"])

    # --- asking ---------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        body: Callable[[], dict[str, Any]] = dict,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """One call, in as many attempts as it takes; `body` makes the body anew for each."""
        sent = {"Idempotency-Key": str(uuid4()), **(headers or {})}
        renewed = False
        for attempt in range(1, self._attempts + 1):
            try:
                sent["Authorization"] = f"Bearer {self._access_token()}"
                answer = self._http.request(method, path, headers=sent, params=params, **body())
            except httpx2.TransportError as error:
                if attempt == self._attempts:
                    raise Unreachable(f"{method} {path}: {error!r}") from error
                time.sleep(_pause(attempt))
                continue
            if answer.is_success:
                return answer.json()
            if answer.status_code == 401 and not renewed:  # the token, or its key, was revoked
                renewed, self._token_until = True, 0.0
            elif answer.status_code in RETRIED and attempt < self._attempts:
                time.sleep(_pause(attempt, answer))
            else:
                raise PartnerError.of(answer)
        raise Unreachable(f"{method} {path}")

    def _access_token(self) -> str:
        """The token in hand while it is good, or a new one."""
        if time.monotonic() < self._token_until:
            return self._token
        answer = self._http.post(
            "/api/v1/auth/token",
            data={"grant_type": "client_credentials"},
            auth=self._credentials,
        )
        if not answer.is_success:
            raise PartnerError.of(answer)
        granted = answer.json()
        self._token = granted["access_token"]
        self._token_until = time.monotonic() + granted["expires_in"] - TOKEN_MARGIN
        return self._token


def _pause(attempt: int, answer: httpx2.Response | None = None) -> float:
    """Seconds before the next attempt: as long as we are told, or twice as long as the last."""
    told = answer.headers.get("retry-after", "") if answer is not None else ""
    wanted = float(told) if told.isdecimal() else 0.25 * 2**attempt
    return min(wanted + secrets.randbelow(250) / 1_000, LONGEST_PAUSE)
