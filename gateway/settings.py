"""Settings of the gateway."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from shared.settings import ProcessSettings


def _words(value: object) -> object:
    """`a, b` from the environment as two values."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Origins = Annotated[frozenset[str], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_words)]


class Settings(ProcessSettings):
    """`cors_origins`: front ends on other origins, exact. `trusted_proxies`: networks of proxies
    whose `X-Forwarded-*` are believed. Limits read `requests/seconds`, per caller and window."""

    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_GATEWAY")
    cors_origins: Origins = frozenset()
    # A name of its own: for the services behind us the trusted proxy is the gateway.
    trusted_proxies: Networks = Field((), validation_alias="GATEWAY_TRUSTED_PROXIES")
    portal_build: Path = Path(__file__).parent / "portal" / "build"
    valkey_url: str | None = None  # shared rate limit counters; without it each process counts
    limit_login: str = "120/60"
    limit_public: str = "600/60"
    limit_user: str = "1200/60"
    limit_partner: str = "3000/60"
    idle_seconds: float = 30.0  # without a byte in either direction; also until the first one
    max_under_way: int = 256  # requests per service at a time
    max_connections: int = 4096

    @model_validator(mode="after")
    def _secret_is_long_enough(self) -> Self:
        if self.environment == "production" and len(self.client_secret.get_secret_value()) < 32:
            raise ValueError("the client secret must have at least 32 characters in production")
        return self
