"""Settings of the exchange service."""

from pydantic import Field, SecretStr

from shared.webhooks.settings import WebhookSettings


class Settings(WebhookSettings):
    database_url: str = Field(validation_alias="DATABASE_URL_EXCHANGE")
    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_EXCHANGE")
    booking_horizon_days: int = 180  # how far ahead a slot can be asked for
    objection_days: int = 7  # after completion, until a paid order settles by itself
    webhook_key: SecretStr | None = Field(default=None, validation_alias="EXCHANGE_WEBHOOK_KEY")
    webhook_private_targets: bool = Field(
        default=False, validation_alias="EXCHANGE_WEBHOOK_PRIVATE_TARGETS"
    )
