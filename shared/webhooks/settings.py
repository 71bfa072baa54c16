"""What a service with webhooks is told; each names the variables of its own (`SERVICE_…`)."""

from pydantic import SecretStr

from shared.settings import ServiceSettings


class WebhookSettings(ServiceSettings):
    webhook_key: SecretStr | None = None
    """What webhook secrets are derived from; by default the client secret. Changing it changes
    every receiver's secret."""
    webhook_private_targets: bool = False
    """Whether webhooks may go to plain HTTP and private addresses: development, closed networks."""

    @property
    def webhook_signing_key(self) -> bytes:
        return (self.webhook_key or self.client_secret).get_secret_value().encode()
