"""`python -m services.auth serve|worker|prepare|…`."""

from services.auth import commands
from services.auth.bootstrap import bootstrap
from services.auth.demo import seed_demo
from shared.cli import service_cli

commands.add_to(service_cli("auth", bootstrap=bootstrap, seed_demo=seed_demo))()
