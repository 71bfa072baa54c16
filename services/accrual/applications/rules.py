"""What makes the rows of an application right: one check, for the preview and for submission.

`check_rows` answers with everything it finds at once, never the first error only. Errors keep a
row out of the result; warnings do not. A finding points at `/rows/{number}/{column}`, where the
number is the row's own: the line of the sheet, or of the grid.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.accrual import errors
from services.accrual.applications.cells import Value
from services.accrual.applications.claims import claim_keys, company_key, last_eligible_day
from services.accrual.applications.entries import Check, Entry, read_entries
from services.accrual.applications.rows import RawRow, Row
from services.accrual.criteria.rules import Assessment, FieldRule, Posted, assess
from shared.problems import Finding, FindingKind
from shared.sheets.cells import are_blank

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
    filled = [row for row in raw if not are_blank(row.cells)]
    if not filled or len(filled) > max_rows:
        kind = errors.TOO_MANY_ROWS if filled else errors.NO_ROWS
        return Checked((), (kind.at("/rows", limit=max_rows),), Assessment(()), {})
    check = Check(rule, today, posted or {}, evidence)
    if len(filled) > ADVISED_ROWS:
        check.findings.append(errors.MANY_ROWS.at("/rows", advised=ADVISED_ROWS, count=len(filled)))
    entries = read_entries(check, filled, absent)
    _check_restrictions(check, entries)
    _check_periods(check, entries)
    _check_amounts(check, entries)
    entries = _without_duplicates(check, entries)
    if rule.basis == "contract":
        _check_contracts(check, entries)
    else:
        _check_references(check, entries)
    valid = [entry for entry in entries if entry.valid]
    _warn_of_likeness(check, valid)
    names = _company_names(check, entries)
    rows = _rows(rule, valid)
    claims = ((row.brn, row.contract, row.quantity) for row in rows)
    assessment = assess(rule, claims, check.posted)
    _check_points(check, valid, assessment)
    check.findings.sort(key=lambda finding: finding.row or 0)
    return Checked(rows, tuple(check.findings), assessment, names)


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


# --- one row ----------------------------------------------------------------------------------


def _check_restrictions(check: Check, entries: Iterable[Entry]) -> None:
    for restriction in check.rule.restrictions:
        column, other, allowed = restriction.column, restriction.equals, restriction.allowed
        for entry in entries:
            value = entry.values.get(column)
            if value is None:
                continue
            fulfilled = (
                value in allowed if other is None else value == entry.values.get(other, value)
            )
            if not fulfilled:
                check.add(entry, column, errors.KINDS[restriction.otherwise])


def _check_periods(check: Check, entries: Iterable[Entry]) -> None:
    if not check.has("start_date"):
        return
    for entry in entries:
        start, end = entry.values.get("start_date"), entry.values.get("end_date")
        if start and end and start > end:
            check.add(entry, "end_date", errors.DATE_ORDER)


def _check_amounts(check: Check, entries: Iterable[Entry]) -> None:
    """M-034, and the VAT of M-030."""
    rule = check.rule
    if rule.amount is None:
        return
    for entry in entries:
        deposited = entry.values.get(rule.amount)
        if deposited is None:
            continue
        entry.deposited = deposited
        entry.excluded = entry.values.get(rule.less, 0) if rule.less else 0
        if deposited <= entry.excluded:
            check.add(entry, rule.less or rule.amount, errors.NO_ELIGIBLE_AMOUNT)
        if "supply_won" in entry.values or "vat_won" in entry.values:
            _check_vat(check, entry, rule.amount)


def _check_vat(check: Check, entry: Entry, amount: str) -> None:
    rule, vat = check.rule, entry.values.get("vat_won", 0)
    supply = entry.values.get("supply_won")
    if supply is not None:
        total = supply + vat
        if total != entry.deposited:
            check.add(entry, amount, errors.SUPPLY_VAT_SUM, total=total, deposit=entry.deposited)
        vat = max(vat, entry.deposited - supply)
    needs_proof = rule.vat_evidence is not None and vat > entry.excluded
    if needs_proof and check.evidence is not None and rule.vat_evidence not in check.evidence:
        check.add(entry, "vat_won", errors.VAT_UNPROVEN)


Untimely = tuple[FindingKind, dict[str, str]]


def _check_references(check: Check, entries: Iterable[Entry]) -> None:
    """M-021, M-022. `reference_on` is the row's own day, or its contract's last deposit."""
    # Rows share their days: each is judged once.
    judged: dict[date, Untimely | None] = {}
    for entry in entries:
        day = entry.reference_on
        if day is None:
            continue
        if day not in judged:
            judged[day] = _untimely(check, day)
        if found := judged[day]:
            kind, params = found
            check.add(entry, check.rule.reference, kind, **params)


def _untimely(check: Check, reference: date) -> Untimely | None:
    rule = check.rule
    if reference > check.today:
        return errors.DATE_FUTURE, {}
    if reference < (since := rule.accrues_from):
        since_ko = f"{since.year}.{since.month}.{since.day}."
        return errors.BEFORE_REFORM, {"since": since.isoformat(), "since_ko": since_ko}
    if check.today > (last := last_eligible_day(reference, rule.window_years)):
        days = {"reference": reference.isoformat(), "last_day": last.isoformat()}
        return errors.WINDOW_EXPIRED, days
    return None


# --- between rows -----------------------------------------------------------------------------


def _without_duplicates(check: Check, entries: Sequence[Entry]) -> list[Entry]:
    """The entries less those that claim again what an earlier row claims (M-020)."""
    identity = {
        column.key
        for column in check.columns
        if column.required and column.key in check.rule.identity
    }
    told = [entry for entry in entries if identity <= entry.values.keys()]
    keys = claim_keys(check.rule, [entry.values for entry in told])
    first: dict[bytes, Entry] = {}
    for entry, key in zip(told, keys, strict=True):
        entry.key = key
        earlier = first.setdefault(key, entry)
        if earlier is not entry:
            check.add(entry, "brn", errors.DUPLICATE_ROW, other=earlier.number)
    if len(first) == len(told):
        return list(entries)
    return [entry for entry in entries if not entry.key or first[entry.key] is entry]


def _check_contracts(check: Check, entries: Iterable[Entry]) -> None:
    """The instalments of each contract together: amount, window and completeness (M-033)."""
    contracts: dict[tuple[str, str | int], list[Entry]] = {}
    unreadable = set()  # contracts with a row of unknown company: their deposits are not known
    for entry in entries:
        brn = entry.values.get("brn", "")
        contracts.setdefault((brn, entry.contract or entry.number), []).append(entry)
        if not brn:
            unreadable.add(entry.contract)
    for group in contracts.values():
        if len(group) > 1:
            _check_contract_amount(check, group)
    if check.rule.paid_in_full:
        _check_last_deposits(check, contracts.values())
    else:
        _check_references(check, entries)
    if check.has("contract_won"):
        for (brn, contract), group in contracts.items():
            if contract not in unreadable and all(entry.valid for entry in group):
                _check_deposits(check, group, check.posted.get((brn, str(contract))))
    if check.rule.paid_in_full:
        for group in contracts.values():
            if not all(entry.valid for entry in group):
                for entry in group:  # such a contract stands or falls as a whole
                    entry.valid = False


def _check_contract_amount(check: Check, group: Iterable[Entry]) -> None:
    stated = [entry for entry in group if "contract_won" in entry.values]
    for entry in stated[1:]:
        amount = stated[0].values["contract_won"]
        if entry.values["contract_won"] != amount:
            check.add(
                entry,
                "contract_won",
                errors.CONTRACT_AMOUNT_DIFFERS,
                other=stated[0].number,
                amount=amount,
            )


def _check_last_deposits(check: Check, contracts: Iterable[Sequence[Entry]]) -> None:
    """The contract's last deposit is the reference of all its rows, if every date is known."""
    deciding = []
    for group in contracts:
        days = [entry.reference_on for entry in group if entry.reference_on]
        if len(days) < len(group):
            continue
        last = days.index(max(days))
        for position, entry in enumerate(group):
            if position == last or days[position] > check.today:
                deciding.append(entry)
            else:
                entry.reference_on = days[last]
    _check_references(check, deciding)


def _check_deposits(check: Check, group: Sequence[Entry], posted: Posted | None) -> None:
    amount = max([entry.values.get("contract_won", 0) for entry in group])
    if not amount:
        return
    deposited = sum([entry.deposited for entry in group], posted.deposited_won if posted else 0)
    if deposited > amount:
        excess = deposited - amount
        check.add(group[0], "contract_won", errors.DEPOSIT_OVER_CONTRACT, excess=excess)
    if check.rule.paid_in_full and deposited < amount:
        missing = amount - deposited
        check.add(group[0], "contract_won", errors.PAYMENT_INCOMPLETE, missing=missing)


def _rows(rule: FieldRule, valid: Iterable[Entry]) -> tuple[Row, ...]:
    rows = []
    for entry in valid:
        # A valid entry has every required cell, hence a day and a key.
        assert entry.reference_on is not None
        rows.append(
            Row(
                entry.number,
                entry.values["brn"],
                entry.values["company_name"],
                entry.contract,
                entry.deposited - entry.excluded if rule.amount else 1,
                entry.deposited,
                entry.reference_on,
                entry.key,
                entry.values,
            )
        )
    return tuple(rows)


def _warn_of_likeness(check: Check, entries: Iterable[Entry]) -> None:
    """The same person at the same company again; with periods, only where they overlap."""
    alike: dict[tuple[Value | None, ...], list[Entry]] = {}
    for entry in entries if check.rule.likeness else ():
        likeness = tuple([entry.values.get(column) for column in check.rule.likeness])
        alike.setdefault(likeness, []).append(entry)
    for group in alike.values():
        if len(group) == 1:
            continue
        group.sort(key=lambda entry: entry.values.get("start_date") or date.min)
        longest = group[0]
        for entry in group[1:]:
            start = entry.values.get("start_date")
            end = entry.values.get("end_date") or date.max
            reach = longest.values.get("end_date") or date.max
            if start is None or start <= reach:
                other, later = sorted((longest, entry), key=lambda one: one.number)
                check.add(later, "brn", errors.SIMILAR_CLAIM, other=other.number)
            if end > reach:
                longest = entry


def _company_names(check: Check, entries: Iterable[Entry]) -> dict[str, str]:
    """The first name of each company; another name for the same number is a warning (M-008)."""
    first: dict[str, Entry] = {}
    for entry in entries:
        brn, name = entry.values.get("brn"), entry.values.get("company_name")
        if brn is None or name is None:
            continue
        named = first.setdefault(brn, entry)
        known = named.values["company_name"]
        if name != known and company_key(name) != company_key(known):
            check.add(
                entry, "company_name", errors.COMPANY_NAME_DIFFERS, other=named.number, name=known
            )
    return {brn: entry.values["company_name"] for brn, entry in first.items()}


def _check_points(check: Check, valid: Iterable[Entry], assessment: Assessment) -> None:
    """M-016: an application earns something; a company that earns nothing is worth a word."""
    without = {company.brn for company in assessment.companies if company.points == 0}
    if not without:
        return
    if len(without) == len(assessment.companies):
        check.findings.append(errors.ZERO_MILEAGE.at("/rows"))
        return
    for entry in valid:
        brn = entry.values["brn"]
        if brn in without:
            without.discard(brn)
            check.add(entry, "brn", errors.COMPANY_ZERO_MILEAGE)
