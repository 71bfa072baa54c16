"""A user of the platform: logs in through the gateway and calls its JSON API, nothing else."""

import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

TIMEOUT = httpx2.Timeout(60.0, connect=5.0)


class Surprise(AssertionError):  # noqa: N818  # the word of the story
    """The platform did something the story did not expect."""


class Answer:
    """A response with its decoded body; `["key"]` reads from it."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        is_json = "json" in response.headers.get("content-type", "")
        self.body: Any = response.json() if is_json and response.content else None

    def __getitem__(self, key: str) -> Any:
        return self.body[key]

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.body["code"])

    @property
    def codes(self) -> list[str]:
        """The codes of all findings of a problem."""
        return [item["code"] for item in self.body.get("errors", [])]

    @property
    def tag(self) -> dict[str, str]:
        """The header that says "as I saw it here"."""
        return {"If-Match": self.headers["etag"]}


class User:
    """Somebody logged in (or, without a login, the public)."""

    def __init__(self, gateway: str, login: str | None = None, password: str = "") -> None:
        self.gateway = gateway
        self.login = login
        self._password = password
        self._http = httpx2.Client(base_url=gateway, timeout=TIMEOUT, trust_env=False)
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def sign_in(self) -> Answer:
        """Ask for a token with the password. The token opens only a password change if due."""
        answer = Answer(
            self._http.post(
                "/api/v1/auth/token",
                data={
                    "grant_type": "password",
                    "client_id": "portal",
                    "username": self.login,
                    "password": self._password,
                },
            )
        )
        if answer.status == 200:
            self._token = answer["access_token"]
        return answer

    @property
    def subject(self) -> str:
        """The account's id, as the API knows it."""
        return str(self.get("/api/v1/auth/me")["id"])

    def ask(
        self,
        method: str,
        path: str,
        *,
        expect: int | None = 200,
        once: bool | str = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """One request. `once` adds an Idempotency-Key (a fresh one, or the one given).

        Raises `Surprise` when the status is not the expected one; `expect=None` takes any.
        """
        if self.login is not None and self._token is None:
            signed_in = self.sign_in()
            if signed_in.status != 200:
                raise Surprise(f"{self.login} cannot log in: {signed_in.body}")
        sent = dict(headers or {})
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        if once:
            sent["Idempotency-Key"] = once if isinstance(once, str) else str(uuid.uuid4())
        answer = Answer(self._http.request(method, path, headers=sent, **options))
        if expect is not None and answer.status != expect:
            raise Surprise(
                f"{method} {path} as {self.login}: {answer.status} instead of {expect}: "
                f"{answer.response.text[:2000]}"
            )
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return self.ask("POST", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Answer:
        return self.ask("PUT", path, json=json, **options)
