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
