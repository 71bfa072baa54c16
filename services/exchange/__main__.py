"""`python -m services.exchange serve|worker|prepare|…`."""

from shared.cli import service_cli

service_cli("exchange")()
