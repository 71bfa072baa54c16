"""Settings of the accrual service."""

from pydantic import Field, SecretStr

from shared.webhooks.settings import WebhookSettings


class Settings(WebhookSettings):
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
    portal_url: str = ""
    """Where the portal is, if not where tokens come from; certificates print it (M-052)."""
    certificate_issuer: str = Field(
        default="산학협력 마일리지 운영기관", validation_alias="ACCRUAL_CERTIFICATE_ISSUER"
    )
    """Whose name and seal certificates bear."""
    intake_max_rows: int = Field(default=100_000, ge=1, validation_alias="ACCRUAL_INTAKE_MAX_ROWS")
    """Rows a partner system may push at once; they become applications of `max_rows` each."""
    intake_kept_days: int = Field(default=400, ge=1, validation_alias="ACCRUAL_INTAKE_KEPT_DAYS")
    """Days the results of a batch are kept, and its rows known by their external ids. By default
    longer than the year in which a row can be claimed (M-022)."""
    intake_file_kept_days: int = Field(
        default=60, ge=1, validation_alias="ACCRUAL_INTAKE_FILE_KEPT_DAYS"
    )
    """Days a batch may name evidence that was uploaded for it; applications keep what they show."""
    webhook_key: SecretStr | None = Field(default=None, validation_alias="ACCRUAL_WEBHOOK_KEY")
    webhook_private_targets: bool = Field(
        default=False, validation_alias="ACCRUAL_WEBHOOK_PRIVATE_TARGETS"
    )

    points_lifetime_years: int | None = Field(
        default=None, ge=1, le=100, validation_alias="ACCRUAL_POINTS_LIFETIME_YEARS"
    )
    """Years after which points expire; by default they do not."""
    checkpoint_key: SecretStr | None = Field(
        default=None, validation_alias="ACCRUAL_CHECKPOINT_KEY"
    )
    """What the key that signs checkpoints is derived from; by default the client secret."""

    @property
    def portal(self) -> str:
        """Where the address on a certificate leads."""
        return (self.portal_url or self.token_issuer).rstrip("/")

    @property
    def checkpoint_secret(self) -> bytes:
        return (self.checkpoint_key or self.client_secret).get_secret_value().encode()
