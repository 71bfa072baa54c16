"""`python -m services.accrual serve|worker|prepare|…`."""

from shared.cli import service_cli

service_cli("accrual")()
