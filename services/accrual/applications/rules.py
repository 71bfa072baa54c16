"""What makes the rows of an application right: one check, for the preview and for submission.

`check_rows` answers with everything it finds at once, never the first error only. Errors keep a
row out of the result; warnings do not. A finding points at `/rows/{position}/{column}` and carries
the row's own number in the sheet.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from services.accrual import errors
from services.accrual.applications import cells
from services.accrual.applications.cells import Cell, Fault, Value
from services.accrual.applications.claims import (
    claim_key,
    company_key,
    contract_of,
    last_eligible_day,
)
from services.accrual.applications.columns import COLUMNS, Column
from services.accrual.applications.rows import RawRow, Row
from services.accrual.criteria.rules import Assessment, FieldRule, Posted, assess
from shared.problems import Finding, FindingKind

MAX_ROWS = 5_000  # M-015; a deployment may set another
ADVISED_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows that passed, everything found, and what the passing rows earn.

    `names` gives each company's name, by business registration number.
    """

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    assessment: Assessment
    names: Mapping[str, str]

    @property
    def is_valid(self) -> bool:
        return not any(finding.is_error for finding in self.findings)


@dataclass(slots=True)
class _Entry:
    """A row under check: its position in the list, its number, and the cells read so far."""

    position: int
    number: int
    values: dict[str, Any]
    contract: str | None = None
    reference_on: date | None = None
    key: bytes = b""
    valid: bool = True

    def won(self, key: str | None) -> int:
        value = self.values.get(key) if key else None
        return value if isinstance(value, int) else 0

    def day(self, key: str) -> date | None:
        value = self.values.get(key)
        return value if isinstance(value, date) else None


@dataclass(slots=True)
class _Check:
    """One run over one sheet: what it goes by, and what it has found."""

    rule: FieldRule
    today: date
    posted: Mapping[tuple[str, str], Posted]
    evidence: Collection[str] | None
    findings: list[Finding] = field(default_factory=list)

    def add(self, entry: _Entry, key: str, kind: FindingKind, **params: Any) -> None:
        self.findings.append(
            kind.at(f"/rows/{entry.position}/{key}", row=entry.number, field=key, **params)
        )
        if kind.level == "error":
            entry.valid = False


def check_rows(
    rule: FieldRule,
    raw: Sequence[RawRow],
    *,
    today: date,
    posted: Mapping[tuple[str, str], Posted] | None = None,
    evidence: Collection[str] | None = None,
    absent: Collection[str] = (),
    max_rows: int = MAX_ROWS,
) -> Checked:
    """Check and score the rows of one application.

    `today` is the day of the application in Korea; `posted` what earlier applications posted, by
    (brn, contract); `evidence` the evidence types attached, or None where that is not judged yet;
    `absent` the keys of columns a sheet does not have, reported once and not on every row. Blank
    rows are passed over.
    """
    filled = [(i, row) for i, row in enumerate(raw) if not cells.are_blank(row.cells)]
    if not filled or len(filled) > max_rows:
        kind = errors.TOO_MANY_ROWS if filled else errors.NO_ROWS
        return Checked((), (kind.at("/rows", limit=max_rows),), Assessment(()), {})
    check = _Check(rule, today, posted or {}, evidence)
    if len(filled) > ADVISED_ROWS:
        check.findings.append(errors.MANY_ROWS.at("/rows", advised=ADVISED_ROWS, count=len(filled)))
    entries = _read(check, filled, absent)
    for entry in entries:
        _check_restrictions(check, entry)
        _check_period(check, entry)
        _check_amount(check, entry)
    entries = _without_duplicates(check, entries)
    if rule.basis == "contract":
        _check_contracts(check, entries)
    else:
        for entry in entries:
            _check_reference(check, entry)
    valid = [entry for entry in entries if entry.valid]
    _warn_of_likeness(check, valid)
    rows = [_row(rule, entry) for entry in valid]
    names = _company_names(check, entries)
    claims = ((row.brn, row.contract, row.quantity) for row in rows)
    assessment = assess(rule, claims, check.posted)
    _check_points(check, rows, assessment)
    check.findings.sort(key=lambda finding: finding.row or 0)
    return Checked(tuple(rows), tuple(check.findings), assessment, names)


def check_evidence(rule: FieldRule, attached: Collection[str]) -> list[Finding]:
    """EVIDENCE_MISSING, naming every document still wanted (M-010, M-030)."""
    missing = [
        required
        for required in rule.evidence
        if not any(kind.code in attached for kind in required.any_of)
    ]
    if not missing:
        return []
    return [
        errors.EVIDENCE_MISSING.at(
            "/evidence",
            name=rule.ko,
            name_en=rule.en,
            missing=", ".join(required.ko for required in missing),
            missing_en=", ".join(required.en for required in missing),
        )
    ]


# --- reading ----------------------------------------------------------------------------------


def _read(
    check: _Check, filled: Sequence[tuple[int, RawRow]], absent: Collection[str]
) -> list[_Entry]:
    """The cells as values, column by column, then put together again as rows."""
    columns: list[Column] = []
    parsed_columns: list[Sequence[Value | Fault]] = []
    doubtful: list[tuple[int, Column]] = []
    sheet_columns = zip(*(raw.cells for _, raw in filled), strict=True)
    for column, sheet_column in zip(COLUMNS[check.rule.code], sheet_columns, strict=True):
        parsed, distinct = _parsed(column, check.today, sheet_column)
        if not column.required and all(value == "" for value in distinct):
            continue  # nothing is to be said of an optional column that nobody filled in
        if any(value == "" or value.__class__ is Fault for value in distinct):
            doubtful.append((len(columns), column))
        columns.append(column)
        parsed_columns.append(parsed)
    keys = [column.key for column in columns]
    shape = dict.fromkeys(keys, "")  # copies of a dictionary need not grow
    entries = []
    for (position, raw), parsed in zip(filled, zip(*parsed_columns, strict=True), strict=True):
        values: dict[str, Any] = shape.copy()
        values.update(zip(keys, parsed, strict=True))
        entry = _Entry(position, raw.number, values)
        for index, column in doubtful:
            _settle(check, entry, column, parsed[index], absent)
        entry.contract = contract_of(check.rule, values)
        entry.reference_on = entry.day(check.rule.reference)
        entries.append(entry)
    return entries


def _parsed(
    column: Column, today: date, sheet_column: Sequence[Cell]
) -> tuple[Sequence[Value | Fault], Collection[Value | Fault]]:
    """A column's cells as values, and the distinct ones: sheets repeat themselves.

    Every distinct cell is parsed once, and text that is clean as a whole not at all.
    """
    parse = column.parser(today)
    kinds = set(map(type, sheet_column))
    if bool in kinds or Fault in kinds:  # True equals 1; a fault has no hash
        values = ["" if cells.is_blank(cell) else parse(cell) for cell in sheet_column]
        return values, values
    distinct = set(sheet_column)
    if kinds == {str} and column.type == "text":
        texts = [str(cell) for cell in distinct]
        if cells.are_clean(texts, column.limit):
            return [str(cell) for cell in sheet_column], texts
    known = {cell: "" if cells.is_blank(cell) else parse(cell) for cell in distinct}
    return [known[cell] for cell in sheet_column], known.values()


def _settle(
    check: _Check, entry: _Entry, column: Column, value: Value | Fault, absent: Collection[str]
) -> None:
    """Keep blanks and faults out of an entry's values, with a finding where one is due."""
    if isinstance(value, Fault):
        _add_fault(check, entry, column, value)
    elif value != "":
        return
    elif column.required:
        entry.valid = False
        if column.key not in absent:
            _add_fault(check, entry, column, Fault(errors.REQUIRED))
    del entry.values[column.key]


def _add_fault(check: _Check, entry: _Entry, column: Column, fault: Fault) -> None:
    check.add(
        entry,
        column.key,
        fault.kind,
        suggestion=fault.suggestion,
        column=column.ko,
        column_en=column.en,
        **fault.params,
    )


# --- one row ----------------------------------------------------------------------------------


def _check_restrictions(check: _Check, entry: _Entry) -> None:
    for restriction in check.rule.restrictions:
        value = entry.values.get(restriction.column)
        if value is None:
            continue
        if restriction.equals is None:
            fulfilled = value in restriction.allowed
        else:
            fulfilled = value == entry.values.get(restriction.equals, value)
        if not fulfilled:
            check.add(entry, restriction.column, errors.KINDS[restriction.otherwise])


def _check_period(check: _Check, entry: _Entry) -> None:
    start = entry.day("start_date")
    end = entry.day("end_date") if start else None
    if start and end and start > end:
        check.add(entry, "end_date", errors.DATE_ORDER)


def _check_amount(check: _Check, entry: _Entry) -> None:
    """M-034, and the VAT of M-030."""
    rule = check.rule
    if rule.amount is None or rule.amount not in entry.values:
        return
    amount, excluded = entry.won(rule.amount), entry.won(rule.less)
    if amount <= excluded:
        check.add(entry, rule.less or rule.amount, errors.NO_ELIGIBLE_AMOUNT)
    vat = entry.won("vat_won")
    if "supply_won" in entry.values:
        supply = entry.won("supply_won")
        if supply + vat != amount:
            total = supply + vat
            check.add(entry, rule.amount, errors.SUPPLY_VAT_SUM, total=total, deposit=amount)
        vat = max(vat, amount - supply)
    needs_proof = rule.vat_evidence is not None and vat > excluded
    if needs_proof and check.evidence is not None and rule.vat_evidence not in check.evidence:
        check.add(entry, "vat_won", errors.VAT_UNPROVEN)


def _check_reference(check: _Check, entry: _Entry) -> None:
    """M-021, M-022. `reference_on` is the row's own day, or its contract's last deposit."""
    rule, reference = check.rule, entry.reference_on
    if reference is None:
        return
    if reference > check.today:
        check.add(entry, rule.reference, errors.DATE_FUTURE)
    elif reference < rule.accrues_from:
        since = rule.accrues_from
        check.add(
            entry,
            rule.reference,
            errors.BEFORE_REFORM,
            since=since.isoformat(),
            since_ko=f"{since.year}.{since.month}.{since.day}.",
        )
    elif check.today > (last := last_eligible_day(reference, rule.window_years)):
        check.add(
            entry,
            rule.reference,
            errors.WINDOW_EXPIRED,
            reference=reference.isoformat(),
            last_day=last.isoformat(),
        )


# --- between rows -----------------------------------------------------------------------------


def _without_duplicates(check: _Check, entries: Sequence[_Entry]) -> list[_Entry]:
    """The entries less those that claim again what an earlier row claims (M-020)."""
    identity = {
        column.key
        for column in COLUMNS[check.rule.code]
        if column.required and column.key in check.rule.identity
    }
    fold = cache(cells.folded)  # of this sheet only: names should not outlive it in memory
    first: dict[bytes, _Entry] = {}
    kept = []
    for entry in entries:
        if identity <= entry.values.keys():
            entry.key = claim_key(check.rule, entry.values, fold)
            earlier = first.setdefault(entry.key, entry)
            if earlier is not entry:
                check.add(entry, "brn", errors.DUPLICATE_ROW, other=earlier.number)
                continue
        kept.append(entry)
    return kept


def _check_contracts(check: _Check, entries: Iterable[_Entry]) -> None:
    """The instalments of each contract together: amount, window and completeness (M-033)."""
    contracts: dict[tuple[Value, str | int], list[_Entry]] = {}
    unreadable = set()  # contracts with a row of unknown company: their deposits are not known
    for entry in entries:
        brn = entry.values.get("brn", "")
        contracts.setdefault((brn, entry.contract or entry.position), []).append(entry)
        if not brn:
            unreadable.add(entry.contract)
    for (brn, contract), group in contracts.items():
        _check_contract_amount(check, group)
        if check.rule.paid_in_full:
            _check_last_deposit(check, group)
        else:
            for entry in group:
                _check_reference(check, entry)
        if all(entry.valid for entry in group) and contract not in unreadable:
            _check_deposits(check, group, check.posted.get((str(brn), str(contract))))
        if check.rule.paid_in_full and not all(entry.valid for entry in group):
            for entry in group:  # such a contract stands or falls as a whole
                entry.valid = False


def _check_contract_amount(check: _Check, group: Sequence[_Entry]) -> None:
    stated = [entry for entry in group if "contract_won" in entry.values]
    for entry in stated[1:]:
        amount = stated[0].won("contract_won")
        if entry.won("contract_won") != amount:
            check.add(
                entry,
                "contract_won",
                errors.CONTRACT_AMOUNT_DIFFERS,
                other=stated[0].number,
                amount=amount,
            )


def _check_last_deposit(check: _Check, group: Sequence[_Entry]) -> None:
    """The contract's last deposit is the reference of all its rows, if every date is known."""
    dated = [(entry.reference_on, entry) for entry in group if entry.reference_on]
    if len(dated) < len(group):
        return
    last_on, last = max(dated, key=lambda pair: pair[0])
    for paid_on, entry in dated:
        if entry is last or paid_on > check.today:
            _check_reference(check, entry)
        entry.reference_on = last_on


def _check_deposits(check: _Check, group: Sequence[_Entry], posted: Posted | None) -> None:
    amount = max(entry.won("contract_won") for entry in group)
    deposited = sum(entry.won(check.rule.amount) for entry in group)
    deposited += posted.deposited_won if posted else 0
    if amount and deposited > amount:
        excess = deposited - amount
        check.add(group[0], "contract_won", errors.DEPOSIT_OVER_CONTRACT, excess=excess)
    if check.rule.paid_in_full and deposited < amount:
        missing = amount - deposited
        check.add(group[0], "contract_won", errors.PAYMENT_INCOMPLETE, missing=missing)


def _row(rule: FieldRule, entry: _Entry) -> Row:
    # A valid entry has every required cell, hence a day and a key.
    assert entry.reference_on is not None
    deposited = entry.won(rule.amount)
    return Row(
        entry.number,
        entry.values["brn"],
        entry.values["company_name"],
        entry.contract,
        deposited - entry.won(rule.less) if rule.amount else 1,
        deposited,
        entry.reference_on,
        entry.key,
        entry.values,
    )


def _warn_of_likeness(check: _Check, entries: Iterable[_Entry]) -> None:
    """The same person at the same company again; with periods, only where they overlap."""
    alike: dict[tuple[Value | None, ...], list[_Entry]] = {}
    for entry in entries if check.rule.likeness else ():
        likeness = tuple([entry.values.get(column) for column in check.rule.likeness])
        alike.setdefault(likeness, []).append(entry)
    for group in alike.values():
        if len(group) == 1:
            continue
        group.sort(key=lambda entry: entry.day("start_date") or date.min)
        longest = group[0]
        for entry in group[1:]:
            start, end = entry.day("start_date"), entry.day("end_date") or date.max
            reach = longest.day("end_date") or date.max
            if start is None or start <= reach:
                other, later = sorted((longest, entry), key=lambda one: one.position)
                check.add(later, "brn", errors.SIMILAR_CLAIM, other=other.number)
            if end > reach:
                longest = entry


def _company_names(check: _Check, entries: Iterable[_Entry]) -> dict[str, str]:
    """The first name of each company; another name for the same number is a warning (M-008)."""
    first: dict[str, _Entry] = {}
    for entry in entries:
        brn, name = entry.values.get("brn"), entry.values.get("company_name")
        if not (isinstance(brn, str) and isinstance(name, str)):
            continue
        named = first.setdefault(brn, entry)
        known = str(named.values["company_name"])
        if name != known and company_key(name) != company_key(known):
            check.add(
                entry,
                "company_name",
                errors.COMPANY_NAME_DIFFERS,
                other=named.number,
                name=known,
            )
    return {brn: str(entry.values["company_name"]) for brn, entry in first.items()}


def _check_points(check: _Check, rows: Sequence[Row], assessment: Assessment) -> None:
    """M-016: an application earns something; a company that earns nothing is worth a word."""
    if not rows:
        return
    if assessment.total == 0:
        check.findings.append(errors.ZERO_MILEAGE.at("/rows"))
        return
    without = {company.brn for company in assessment.companies if company.points == 0}
    for row in rows if without else ():
        if row.brn in without:
            without.discard(row.brn)
            check.findings.append(
                errors.COMPANY_ZERO_MILEAGE.at("/rows", row=row.number, field="brn")
            )
