"""Points from before the reform: they were there, and they are gone."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.accrual.ledger import errors, legacy, service, statements
from services.accrual.ledger.legacy import OldBalance
from services.accrual.ledger.statements import Filter
from shared.paging import PageRequest
from shared.problems import Invalid

REFORM = datetime(2022, 2, 28, 15, tzinfo=UTC)  # midnight in Korea


async def test_old_points_are_told_of_and_extinguished(ledger):
    one = OldBalance(uuid4(), 12_345)
    assert await ledger(legacy.extinguish, [one]) == 1
    assert await ledger.balance(one.institution_id) == (0, 0, 0)
    at = [
        await ledger(service.balance_as_of, one.institution_id, REFORM + timedelta(microseconds=n))
        for n in (-2, -1, 0)
    ]
    assert at == [0, 12_345, 0]
    rows, _, _ = await ledger(
        statements.statement, one.institution_id, Filter(), PageRequest(limit=10)
    )
    assert [(transfer.kind, entry.amount) for entry, transfer in rows] == [
        ("expiry", -12_345),
        ("migration", 12_345),
    ]


async def test_a_repeated_import_does_nothing_and_other_points_are_a_conflict(ledger):
    balances = [OldBalance(uuid4(), points) for points in range(1, 700)]
    assert await ledger(legacy.extinguish, balances) == 699
    assert await ledger(legacy.extinguish, balances) == 0
    with pytest.raises(errors.TransferConflict):
        await ledger(legacy.extinguish, [OldBalance(balances[0].institution_id, 2)])


async def test_points_of_today_are_not_touched(ledger):
    company = await ledger.institution(50)
    await ledger(legacy.extinguish, [OldBalance(company, 1_000)])
    assert await ledger.balance(company) == (50, 0, 50)


def test_every_bad_row_is_told():
    one = uuid4()
    lines = ["institution_id,points", f"{one},5", "x,5", f"{uuid4()},-1", f"{one},6", f"{uuid4()},"]
    with pytest.raises(Invalid) as refused:
        legacy.read_balances(lines)
    assert [found.row for found in refused.value.errors] == [3, 4, 5, 6]
    assert legacy.read_balances([lines[0], lines[1], f"{uuid4()},0"]) == [OldBalance(one, 5)]


async def test_the_command_imports_a_file(runtime, ledger, tmp_path):
    one = uuid4()
    file = tmp_path / "old.csv"
    file.write_text(f"institution_id,points\n{one},77\n", encoding="utf-8-sig")
    environment = os.environ | {
        "DATABASE_URL_ACCRUAL": runtime.settings.database_url,
        "CLIENT_SECRET_ACCRUAL": "x" * 32,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.accrual", "import-legacy", str(file)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 balances, 1 of them new" in done.stdout
    rows = await ledger.sql("SELECT amount FROM entry WHERE account_id = :one ORDER BY 1", one=one)
    assert rows == [(-77,), (77,)]
