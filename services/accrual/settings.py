"""Settings of the accrual service."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    database_url: str = Field(validation_alias="DATABASE_URL_ACCRUAL")
    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_ACCRUAL")
    max_rows: int = Field(default=5_000, ge=1, validation_alias="ACCRUAL_MAX_ROWS")
    """Rows an application may have when a person enters them (M-015)."""
    max_files: int = Field(default=100, ge=1, validation_alias="ACCRUAL_MAX_FILES")
    """Files an application may have."""
    second_approval_from: int = Field(
        default=100_000, ge=1, validation_alias="ACCRUAL_SECOND_APPROVAL_FROM"
    )
    """Points from which an approval needs a second reviewer."""
    webhook_key: SecretStr | None = Field(default=None, validation_alias="ACCRUAL_WEBHOOK_KEY")
    """What webhook secrets are derived from; by default the client secret. Changing it changes
    every partner's secret."""
    webhook_private_targets: bool = Field(
        default=False, validation_alias="ACCRUAL_WEBHOOK_PRIVATE_TARGETS"
    )
    """Whether webhooks may go to plain HTTP and private addresses: development, closed networks."""

    @property
    def webhook_signing_key(self) -> bytes:
        return (self.webhook_key or self.client_secret).get_secret_value().encode()
