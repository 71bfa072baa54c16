"""The demo: fictitious institutions and the logins to walk through the product with.

Everyone's password is `DEMO_PASSWORD`, except for `nuri`: there the old convention (password = id)
shows how a first login leads to the password change and nowhere else (M-001, M-002). No tax
office has the number 999, so the companies' business numbers belong to nobody.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.auth.accounts.models import Account, FieldPermission
from services.auth.accounts.rules import Field, Role
from services.auth.institutions.models import Campus, Institution
from services.auth.institutions.rules import Kind
from services.auth.runtime import AuthRuntime
from shared.clock import utc_now
from shared.runtime import Runtime

DEMO_PASSWORD = "Hanmaru!2026"  # noqa: S105  # public on purpose; the command refuses production
_NAMESPACE = UUID("5b1f0f52-7d0e-4c59-9f0a-0d9d3f5f6a01")

OPERATOR = "산학마일리지 운영센터"
HANBIT = "한빛대학교산학협력단"
SAEBYEOK = "새벽대학교"
NURI = "누리대학교산학협력단"
HANMARU = "한마루정밀 주식회사"
PUREUN = "푸른소재 주식회사"
GAON = "가온산업진흥원"
MINISTRY = "산학정책부"


@dataclass(frozen=True, slots=True)
class DemoInstitution:
    kind: Kind
    name: str
    brn: str | None = None
    capital_area: bool = False
    homepage: str | None = None

    @property
    def id(self) -> UUID:
        return uuid5(_NAMESPACE, self.name)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    login_id: str
    role: Role
    institution: str
    name: str
    password: str = DEMO_PASSWORD
    parent: str | None = None
    fields: tuple[Field, ...] = ()
    must_change: bool = False

    @property
    def id(self) -> UUID:
        return uuid5(_NAMESPACE, "account:" + self.login_id)


INSTITUTIONS = (
    DemoInstitution(Kind.OPERATOR, OPERATOR),
    DemoInstitution(Kind.IACF, HANBIT, homepage="www.hanbit.example"),
    DemoInstitution(Kind.UNIVERSITY, SAEBYEOK, capital_area=True, homepage="www.saebyeok.example"),
    DemoInstitution(Kind.IACF, NURI, homepage="www.nuri.example"),
    DemoInstitution(Kind.COMPANY, HANMARU, brn="9998100015"),
    DemoInstitution(Kind.COMPANY, PUREUN, brn="9998600024", capital_area=True),
    DemoInstitution(Kind.AGENCY, GAON),
    DemoInstitution(Kind.MINISTRY, MINISTRY),
)

ACCOUNTS = (
    DemoAccount("operator", Role.OPERATOR, OPERATOR, "운영담당"),
    DemoAccount("operator2", Role.OPERATOR, OPERATOR, "검토담당"),
    DemoAccount("hanbit", Role.UNIVERSITY, HANBIT, "산학협력팀"),
    DemoAccount(
        "hanbit_01",
        Role.SUB_ACCOUNT,
        HANBIT,
        "현장실습지원센터",
        parent="hanbit",
        fields=(Field.PRACTICE,),
    ),
    DemoAccount("saebyeok", Role.UNIVERSITY, SAEBYEOK, "산학기획팀"),
    DemoAccount("nuri", Role.UNIVERSITY, NURI, "산학협력팀", "nuri", must_change=True),
    DemoAccount("9998100015", Role.COMPANY, HANMARU, "경영지원팀"),
    DemoAccount("9998600024", Role.COMPANY, PUREUN, "기술연구소"),
    DemoAccount("officer", Role.AGENCY_OFFICER, GAON, "사업담당"),
    DemoAccount("auditor", Role.AUDITOR, GAON, "정산담당"),
    DemoAccount("evaluator1", Role.EVALUATOR, GAON, "평가위원 가"),
    DemoAccount("evaluator2", Role.EVALUATOR, GAON, "평가위원 나"),
    DemoAccount("evaluator3", Role.EVALUATOR, GAON, "평가위원 다"),
    DemoAccount("observer", Role.OBSERVER, MINISTRY, "정책담당"),
)

LOGINS = [
    (account.login_id, account.password, str(account.role), account.institution)
    for account in ACCOUNTS
]
"""Of each demo account: login id, password, role, institution."""


async def seed_demo(runtime: Runtime) -> None:
    """Add what is missing; what is there already stays as it is, changed passwords too."""
    assert isinstance(runtime, AuthRuntime)
    of_name = {item.name: item.id for item in INSTITUTIONS}
    of_login = {item.login_id: item.id for item in ACCOUNTS}
    async with runtime.sessions() as session:
        present = set(await session.scalars(select(Account.login_id)))
    missing = [item for item in ACCOUNTS if item.login_id not in present]
    if not missing:
        return
    hashes = {item.login_id: await runtime.passwords.hash(item.password) for item in missing}
    institutions = [
        {
            "id": item.id,
            "kind": item.kind,
            "name": item.name,
            "brn": item.brn,
            "capital_area": item.capital_area,
            "homepage": item.homepage,
        }
        for item in INSTITUTIONS
    ]
    campuses = [
        {
            "institution_id": item.id,
            "name": "본교",
            "capital_area": item.capital_area,
        }
        for item in INSTITUTIONS
        if item.kind in {Kind.UNIVERSITY, Kind.IACF}
    ]
    accounts = [
        {
            "id": item.id,
            "login_id": item.login_id,
            "institution_id": of_name[item.institution],
            "parent_id": of_login[item.parent] if item.parent else None,
            "role": item.role,
            "name": item.name,
            "password": hashes[item.login_id],
            "password_changed_at": utc_now(),
            "must_change_password": item.must_change,
            "email": f"{item.login_id}@demo.example",
        }
        for item in missing
    ]
    permissions = [
        {"account_id": item.id, "field": field, "enabled": True}
        for item in missing
        for field in item.fields
    ]
    async with runtime.sessions.begin() as session:
        for model, rows in (
            (Institution, institutions),
            (Campus, campuses),
            (Account, accounts),
            (FieldPermission, permissions),
        ):
            if rows:
                await session.execute(insert(model).values(rows).on_conflict_do_nothing())
