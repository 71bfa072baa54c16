"""Settings of the grants service."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    database_url: str = Field(validation_alias="DATABASE_URL_GRANTS")
    client_secret: SecretStr = Field(validation_alias="CLIENT_SECRET_GRANTS")
