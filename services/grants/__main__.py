"""`python -m services.grants serve|worker|prepare|…`."""

from services.grants import commands
from services.grants.certification.service import load_shipped_rules
from services.grants.programmes.service import load_shipped_rule_sets
from shared.cli import service_cli
from shared.runtime import Runtime


async def bootstrap(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await load_shipped_rule_sets(session)
        await load_shipped_rules(session)


commands.add_to(service_cli("grants", bootstrap=bootstrap))()
