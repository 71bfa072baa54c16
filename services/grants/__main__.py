"""`python -m services.grants serve|worker|prepare|…`."""

from shared.cli import service_cli

service_cli("grants")()
