"""Who is calling: the institution of the caller as the registry knows it."""

from typing import Annotated

from fastapi import Depends, Request

from services.grants.clients import Directory, InstitutionRecord
from shared.caller import Caller, institution_of


async def _registered(request: Request, caller: Caller) -> InstitutionRecord:
    directory: Directory = request.app.state.directory
    return await directory.institution(institution_of(caller))


Registered = Annotated[InstitutionRecord, Depends(_registered)]
"""Stands before `session` in a signature: what a route asks for comes in this order, and nothing is
open while the registry answers."""
