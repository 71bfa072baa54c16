"""Calls to other services: our own token, bounded time and retries, the trace passed on.

A service is an OAuth client of the auth service. Its token names one target (`aud`) and the scope
the call needs; whom it acts for is a claim the auth service signs, never a header.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import structlog

from shared.problems import UpstreamUnavailable
from shared.tokens import JwksKeys, Revocations
from shared.tracing import client_span, traceparent

log = structlog.get_logger()

TIMEOUT = httpx2.Timeout(10.0, connect=2.0)
ATTEMPTS = 3
RETRY_STATUSES = frozenset({502, 503, 504})
REVOCATION_POLL_SECONDS = 1.0

RevocationFeed = Callable[[int], Awaitable[Mapping[str, Any]]]
"""What was revoked after a number: `{"min_pv": {subject: version}, "last": number}`."""


class RemoteProblem(Exception):  # noqa: N818
    """Another service refused: its status, its code, and the problem it sent."""

    def __init__(self, service: str, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{service} answered {status} {body.get('code')}")
        self.service = service
        self.status = status
        self.code = str(body.get("code", ""))
        self.body = body


class Identity:
    """This service as a client of the auth service: its tokens, the keys, the revocations."""

    def __init__(
        self,
        name: str,
        *,
        auth_url: str,
        secret: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        revocation_feed: RevocationFeed | None = None,
    ) -> None:
        self.name = name
        self._secret = secret
        self.http = httpx2.AsyncClient(
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
        )
        self._auth_url = auth_url
        self._tokens: dict[tuple[str, str, str | None], tuple[str, float]] = {}
        self.keys = JwksKeys(self._fetch_jwks)
        self.revocations = Revocations()
        self._revocation_feed = revocation_feed or self._ask_auth_for_revocations

    async def token(self, *, audience: str, scope: str, acting_for: str | None = None) -> str:
        """A token for one target; remembered until shortly before it expires."""
        wanted = (audience, scope, acting_for)
        token, until = self._tokens.get(wanted, ("", 0.0))
        if time.monotonic() < until:
            return token
        form = {"grant_type": "client_credentials", "audience": audience, "scope": scope}
        if acting_for is not None:
            form["acting_for"] = acting_for
        with client_span("POST auth token"):
            response = await self.http.post(
                f"{self._auth_url}/api/v1/auth/token",
                data=form,
                auth=(self.name, self._secret),
                headers={"traceparent": traceparent()},
            )
        if response.status_code in RETRY_STATUSES:
            response.raise_for_status()  # as if it had not been reached
        if response.status_code != 200:
            raise RemoteProblem("auth", response.status_code, _json(response))
        answer = response.json()
        if len(self._tokens) > 1_000:
            self._tokens.clear()
        until = time.monotonic() + answer["expires_in"] - 30
        self._tokens[wanted] = (answer["access_token"], until)
        return str(answer["access_token"])

    def forget_tokens(self) -> None:
        self._tokens.clear()

    async def _fetch_jwks(self) -> Mapping[str, Any]:
        response = await self.http.get(f"{self._auth_url}/.well-known/jwks.json")
        response.raise_for_status()
        document: Mapping[str, Any] = response.json()
        return document

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the revocations while open, then close the connections."""
        follower = asyncio.create_task(self._follow_revocations())
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
            await self.http.aclose()

    async def _follow_revocations(self) -> None:
        after, failing = 0, False
        while True:
            try:
                answer = await self._revocation_feed(after)
                self.revocations.apply(answer["min_pv"])
                if any(subject.startswith("kid:") for subject in answer["min_pv"]):
                    self.keys.forget()  # a key leaked: there is a new one
                after = answer["last"]
                failing = False
            except Exception as error:  # noqa: BLE001  # whatever was answered, following goes on
                if not failing:  # once per outage; the last snapshot stays in force
                    log.warning("revocations_not_reachable", error=repr(error))
                failing = True
            await asyncio.sleep(REVOCATION_POLL_SECONDS)

    async def _ask_auth_for_revocations(self, after: int) -> Mapping[str, Any]:
        auth = ServiceClient(self, "auth", self._auth_url, scope="revocations:read")
        answer: Mapping[str, Any] = await auth.get("/internal/revocations", params={"after": after})
        return answer


class ServiceClient:
    """Typed calls are written in a service's `clients.py` on top of this."""

    def __init__(self, identity: Identity, service: str, base_url: str, *, scope: str) -> None:
        self._identity = identity
        self.service = service
        self._base_url = base_url
        self._scope = scope

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        return await self._request("GET", path, params=params, repeatable=True)

    async def post(
        self,
        path: str,
        body: Any,
        *,
        repeatable: bool = False,
        acting_for: str | None = None,
    ) -> Any:
        """`repeatable`: the callee answers a repetition like the first call, so we may retry."""
        return await self._request(
            "POST", path, json=body, repeatable=repeatable, acting_for=acting_for
        )

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        repeatable: bool,
        acting_for: str | None = None,
    ) -> Any:
        """The decoded answer. Raises `RemoteProblem` (it refused) or `UpstreamUnavailable`."""
        attempts = ATTEMPTS if repeatable else 1
        failure = "no attempt"
        renewed = False
        attempt = 0
        while attempt < attempts:
            if attempt:
                await asyncio.sleep(0.1 * 4 ** (attempt - 1))
            attempt += 1
            try:
                token = await self._identity.token(
                    audience=self.service, scope=self._scope, acting_for=acting_for
                )
                with client_span(f"{method} {self.service}"):
                    response = await self._identity.http.request(
                        method,
                        self._base_url + path,
                        params=params,
                        json=json,
                        headers={"authorization": f"Bearer {token}", "traceparent": traceparent()},
                    )
            except httpx2.HTTPError as error:
                failure = repr(error)
                continue
            if response.status_code == 401 and not renewed:
                # Our token was revoked or the keys rotated: one fresh token, once.
                renewed = True
                attempt -= 1
                self._identity.forget_tokens()
                continue
            if response.status_code in RETRY_STATUSES:
                failure = f"status {response.status_code}"
                continue
            if response.is_success:
                return response.json() if response.content else None
            raise RemoteProblem(self.service, response.status_code, _json(response))
        log.warning("upstream_unavailable", service=self.service, failure=failure)
        raise UpstreamUnavailable(service=self.service)


def _json(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
