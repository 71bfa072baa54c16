"""What the routes of applications ask for, as FastAPI dependencies."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request

from services.accrual.clients import Registry
from services.accrual.settings import Settings
from shared.app import language
from shared.caller import requires
from shared.files import Files
from shared.problems import Lang
from shared.tokens import Claims

Reader = Annotated[Claims, Depends(requires("accrual:read", "accrual:push"))]
Applicant = Annotated[Claims, Depends(requires("accrual:apply", "accrual:review", "accrual:push"))]
"""Who may make an application: institutions, their systems, and the operator in their stead."""
Reviewer = Annotated[Claims, Depends(requires("accrual:review"))]

ApplicationId = Annotated[UUID, Path(description="신청 id")]

Purpose = Annotated[
    str | None,
    Query(min_length=2, max_length=200, description="개인정보 열람 목적. 기록됩니다."),
]


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.runtime.settings
    return settings


async def _registry(request: Request) -> Registry:
    runtime = request.app.state.runtime
    return Registry(runtime.identity, runtime.settings.auth_url)


async def _language(request: Request) -> Lang:
    return language(request)


async def _files(request: Request) -> Files:
    files: Files = request.app.state.files
    return files


Conf = Annotated[Settings, Depends(_settings)]
Directory = Annotated[Registry, Depends(_registry)]
Store = Annotated[Files, Depends(_files)]
Language = Annotated[Lang, Depends(_language)]
