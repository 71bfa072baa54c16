"""`python -m services.auth serve|worker|prepare|…`."""

from shared.cli import service_cli

service_cli("auth")()
