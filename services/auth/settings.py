"""Settings of the auth service. Secrets have no defaults, in development either."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from shared.settings import ServiceSettings

MIN_SECRET_LENGTH = 32


class Settings(ServiceSettings):
    """`password_pepper` and `key_encryption_key` may list several values, newest first, separated
    by commas: the first one is used for new things, the others still open older ones."""

    database_url: str = Field(validation_alias="DATABASE_URL_AUTH")
    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_AUTH")
    password_pepper: SecretStr
    key_encryption_key: SecretStr
    trusted_proxies: str = "127.0.0.0/8,::1/128"
    portal_origins: str = ""
    initial_credential: Literal["link", "legacy"] = "link"
    initial_credential_hours: int = Field(default=72, ge=1)
    operator_second_factor: bool = False
    passkey_rp_id: str = ""
    removed_accounts_kept_days: int = 90
    closed_institutions_kept_days: int = Field(default=365, ge=0)
    session_idle_minutes: int = 30
    session_hours: int = 12

    portal_url: str = ""
    mail_from: str = "산학협력 마일리지 <no-reply@mileage.invalid>"
    mail_dir: Path | None = None
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr | None = None
    sms_url: str = ""
    sms_key: SecretStr | None = None

    @property
    def peppers(self) -> list[str]:
        return _list(self.password_pepper.get_secret_value())

    @property
    def encryption_keys(self) -> list[str]:
        return _list(self.key_encryption_key.get_secret_value())

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """Whose X-Forwarded-For we believe: the gateway's addresses."""
        return [ip_network(item) for item in _list(self.trusted_proxies)]

    @property
    def origins(self) -> frozenset[str]:
        """Web origins whose pages may use the refresh cookie."""
        parts = urlsplit(self.token_issuer)
        return frozenset({f"{parts.scheme}://{parts.netloc}", *_list(self.portal_origins)})

    @property
    def passkey_domain(self) -> str:
        """The domain passkeys are made for, or a parent of the portal's: another one makes those
        there are useless."""
        return self.passkey_rp_id or urlsplit(self.token_issuer).hostname or ""

    @property
    def portal(self) -> str:
        """Where links in letters lead."""
        return (self.portal_url or self.token_issuer).rstrip("/")

    @property
    def mail_directory(self) -> Path:
        """Where letters lie when no mail server is set: beside the files, if those are local."""
        parts = urlsplit(self.files_url)
        beside = Path(parts.path).parent if parts.scheme == "file" else Path("var")
        return self.mail_dir or beside / "mail"

    @property
    def over_tls(self) -> bool:
        return self.token_issuer.startswith("https://")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for name, secrets in (
            ("PASSWORD_PEPPER", self.peppers),
            ("KEY_ENCRYPTION_KEY", self.encryption_keys),
        ):
            if min(map(len, secrets), default=0) < MIN_SECRET_LENGTH:
                raise ValueError(f"{name} must have at least {MIN_SECRET_LENGTH} characters")
        _ = self.proxies  # raises ValueError for what is no network
        return self


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
