"""The statement as a workbook: the same lines, in numbers, and nothing a spreadsheet would run."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import httpx2
import openpyxl
import pytest

from services.accrual.app import create_app
from services.accrual.settings import Settings
from shared.clock import seoul_day
from tests.accrual.ledger.conftest import issue, move
from tests.accrual.world import Registry

URL = "/api/v1/accrual/ledger/entries/export"


@pytest.fixture
async def runtime(runtime_of):
    return await runtime_of("accrual", Settings, transport=httpx2.MockTransport(Registry()))


@pytest.fixture
def export(runtime, client_of, tokens):
    http = client_of(create_app(runtime.settings, runtime))

    async def call(institution_id, query="", **claims):
        headers = tokens.headers("ledger:read", institution_id=institution_id, **claims)
        answer = await http.get(f"{URL}{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
        return list(sheet.iter_rows(min_row=2, values_only=True))

    call.http = http
    return call


async def test_lines_run_from_the_oldest_with_credits_debits_and_balance(ledger, export):
    company, university = uuid4(), uuid4()
    await ledger.post(issue(company, 450, field="PRACTICE", title="현장실습", origin_id=university))
    await ledger.post(move(company, university, 50))
    first, second = await export(company)
    assert first[2:9] == ("적립", "현장실습", "PRACTICE", 450, None, 450, "한국대학교")
    assert second[2:8] == ("거래", None, None, None, 50, 400)
    assert first[1][:10] == seoul_day(datetime.now(UTC)).isoformat()


async def test_a_title_is_never_a_formula(ledger, export):
    company = uuid4()
    await ledger.post(issue(company, 1, title="=HYPERLINK(1)"))
    [line] = await export(company)
    assert line[3].lstrip("'") == "=HYPERLINK(1)"
    assert not line[3].startswith("=")


async def test_filters_and_fields_hold_here_too(ledger, export):
    company = uuid4()
    await ledger.post(issue(company, 1, field="PRACTICE"), issue(company, 2, field="RESEARCH"))
    assert [line[5] for line in await export(company, "?field=RESEARCH")] == [2]
    seen = await export(company, fields=["PRACTICE"])
    assert [(line[5], line[7]) for line in seen] == [(1, None)]


async def test_it_needs_a_token_and_is_ones_own(ledger, export, tokens):
    other = await ledger.institution(5)
    assert (await export.http.get(URL)).status_code == 401
    headers = tokens.headers("accrual:read", institution_id=uuid4())
    assert (await export.http.get(URL, headers=headers)).status_code == 403
    headers = tokens.headers("ledger:read", institution_id=uuid4(), institution_kind="company")
    answer = await export.http.get(f"{URL}?institution_id={other}", headers=headers)
    assert answer.status_code == 404
