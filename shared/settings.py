"""Settings every process has in common; each service adds its few in its own `settings.py`."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """Read once from the environment, when the process starts; frozen from then on."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int | None = None
    """Where `/metrics` is answered: a port of its own, on networks the public never enters."""
    drain_seconds: float = 0.0
    """After being told to stop: not ready, but still serving, for whoever has not noticed yet."""
    log_level: str = "INFO"
    # Both under the names every OpenTelemetry tool knows.
    otlp_endpoint: str = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Who collects traces, as `http://collector:4318`; without it none are recorded."""
    trace_share: float = Field(1.0, ge=0, le=1, validation_alias="OTEL_TRACES_SAMPLER_ARG")
    """Which part of all traces is recorded; the same for all processes."""
    token_issuer: str = "http://127.0.0.1:8000"  # noqa: S105  # an address, no secret
    auth_url: str = "http://127.0.0.1:8001"
    accrual_url: str = "http://127.0.0.1:8002"
    exchange_url: str = "http://127.0.0.1:8003"
    grants_url: str = "http://127.0.0.1:8004"


class ServiceSettings(ProcessSettings):
    """A service also has a database and a secret of its own: no default stands in for either."""

    database_url: str
    database_password_file: Path | None = None
    """Its passwords, one a line, read for every new connection; instead of the one in the URL."""
    client_secret: SecretStr
    files_url: str = f"file://{Path('var/files').absolute()}"
    database_pool_size: int = 10

    @model_validator(mode="after")
    def _secret_is_long_enough(self) -> Self:
        if self.environment == "production" and len(self.client_secret.get_secret_value()) < 32:
            raise ValueError("the client secret must have at least 32 characters in production")
        return self
