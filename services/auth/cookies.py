"""The two cookies of a browser: the refresh token, and the mark of a device that logged in before.

Scripts cannot read them. A page of another site cannot use them either: SameSite=Strict, an Origin
that must be ours, and a header that only a script of an allowed origin can add.
"""

from fastapi import Request, Response

from services.auth.errors import OAuthProblem
from services.auth.settings import Settings

REFRESH_PATH = "/api/v1/auth/token"
DEVICE_PATH = "/api/v1/auth"
DEVICE_DAYS = 180


def refresh(request: Request, settings: Settings) -> str:
    """The refresh token of the cookie. Raises `OAuthProblem` when there is none, or when the
    request may come from somebody else's page."""
    token = request.cookies.get(_name("rt", settings))
    if token is None:
        raise OAuthProblem(reason="refresh_token")
    origin = request.headers.get("origin")
    foreign = origin is not None and origin not in settings.origins
    if foreign or "x-requested-with" not in request.headers:
        raise OAuthProblem(reason="X-Requested-With")
    return token


def set_refresh(response: Response, settings: Settings, token: str) -> None:
    _set(response, settings, "rt", token, REFRESH_PATH, settings.session_hours * 3_600)


def clear_refresh(response: Response, settings: Settings) -> None:
    response.delete_cookie(
        _name("rt", settings),
        path=REFRESH_PATH,
        secure=settings.over_tls,
        httponly=True,
        samesite="strict",
    )


def device(request: Request, settings: Settings) -> str | None:
    return request.cookies.get(_name("device", settings))


def set_device(response: Response, settings: Settings, mark: str) -> None:
    _set(response, settings, "device", mark, DEVICE_PATH, DEVICE_DAYS * 86_400)


def _set(
    response: Response, settings: Settings, name: str, value: str, path: str, seconds: int
) -> None:
    response.set_cookie(
        _name(name, settings),
        value,
        max_age=seconds,
        path=path,
        secure=settings.over_tls,
        httponly=True,
        samesite="strict",
    )


def _name(name: str, settings: Settings) -> str:
    """Browsers keep `__Secure-` cookies to TLS; a laptop without TLS has plain ones."""
    return f"__Secure-{name}" if settings.over_tls else name
