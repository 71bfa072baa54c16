"""Settings of the exchange service."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    database_url: str = Field(validation_alias="DATABASE_URL_EXCHANGE")
    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_EXCHANGE")
    booking_horizon_days: int = 180  # how far ahead a slot can be asked for
    objection_days: int = 7  # after completion, until a paid order settles by itself
