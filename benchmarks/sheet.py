"""Reading, checking and scoring a sheet, against the bare reading of the same file.

`python -m benchmarks.sheet [--field HIRING] [--rows 1000]` prints one line of JSON: medians of CPU
milliseconds over interleaved runs, and the ratios that survive a change of machine.
"""

import argparse
import gc
import io
import json
import time
from collections.abc import Callable
from datetime import date
from statistics import median

import openpyxl
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.rules import check_rows
from services.accrual.applications.workbook import read_sheet
from services.accrual.criteria.service import field_rule
from shared.brn import check_digit as brn_check_digit

ROUNDS = 21
TODAY = date(2024, 9, 2)
COMPANIES = 40
AMOUNTS = 100


def amounts(row: int) -> dict[str, str]:
    """Money of a row: a hundred different amounts, each with its VAT and paid in full."""
    supply = 1_000_000 * (row % AMOUNTS + 1)
    total = supply + supply // 10
    paid = ("allowance_won", "burden_won", "deposit_won", "contract_won")
    return {"supply_won": str(supply), "vat_won": str(total - supply)} | dict.fromkeys(
        paid, str(total)
    )


def sheet(field: str, rows: int) -> bytes:
    """A sheet as universities send it: text cells, some forty companies, every person another."""
    columns = COLUMNS[field]
    companies = [f"1018{n:05d}" for n in range(10_001, 10_001 + COMPANIES)]
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        page = workbook.add_worksheet("적립신청")
        text = workbook.add_format({"num_format": "@"})
        for place, column in enumerate(columns):
            page.write_string(0, place, column.ko)
            for row in range(1, rows + 1):
                first_nine = companies[row % COMPANIES]
                cell = {
                    "brn": first_nine + brn_check_digit(first_nine),
                    "completed_brn": first_nine + brn_check_digit(first_nine),
                    "company_name": f"한빛정밀{row % COMPANIES}",
                    "trainee_name": f"홍길동{row}",
                    "course_name": f"캡스톤디자인 {row}분반",
                    "contract_no": f"2024-산학-{row:04d}",
                    "note": f"{row}번 학생",
                    **amounts(row),
                }.get(column.key, column.example)
                page.write_string(row, place, cell, text)
    return file.getvalue()


def measured(field: str, rows: int) -> dict[str, object]:
    data, columns, rule = sheet(field, rows), COLUMNS[field], field_rule(field, TODAY)

    def bare() -> None:
        list(CalamineWorkbook.from_object(io.BytesIO(data)).get_sheet_by_index(0).iter_rows())

    def ours() -> None:
        read = read_sheet(data, columns)
        checked = check_rows(rule, read.rows, today=TODAY, absent=read.absent)
        assert checked.is_valid
        assert len(checked.rows) == rows

    def openpyxl_read_only() -> None:
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        list(workbook.worksheets[0].iter_rows(values_only=True))

    gc.freeze()
    runs: dict[Callable[[], None], list[float]] = {bare: [], ours: [], openpyxl_read_only: []}
    for _ in range(ROUNDS):
        for run, spent in runs.items():
            gc.collect()  # what one run leaves behind is not the next one's cost
            start = time.process_time()
            run()
            spent.append((time.process_time() - start) * 1000)
    calamine_ms, ours_ms, openpyxl_ms = (median(spent) for spent in runs.values())
    return {
        "field": field,
        "rows": rows,
        "columns": len(columns),
        "calamine_ms": round(calamine_ms, 1),
        "ours_ms": round(ours_ms, 1),
        "openpyxl_read_only_ms": round(openpyxl_ms, 1),
        "ours_to_calamine": round(ours_ms / calamine_ms, 2),
        "ours_to_openpyxl_read_only": round(ours_ms / openpyxl_ms, 2),
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--field", choices=list(COLUMNS), default="HIRING")
    arguments.add_argument("--rows", type=int, default=1_000)
    chosen = arguments.parse_args()
    print(json.dumps(measured(chosen.field, chosen.rows)))
