"""What a year has to reach (G-006, G-008), and who earns the certificate (G-007), counted from
records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.grants.programmes.rules import (
    Counter,
    RecordField,
    RecordKind,
    RuleSet,
    Text,
    cited,
)
from services.grants.proposals.rules import completion_findings
from shared.problems import Finding, FindingKind

MAX_NUMBER: Final = 1_000_000
MAX_PEOPLE: Final = 500
MAX_TEXT: Final = 500
STUDENT: Final = "student"
"""The kind of record that introduces a student; others refer to it by `ref`."""

RECORD_KIND_UNKNOWN = FindingKind(
    "RECORD_KIND_UNKNOWN",
    "이 사업에 없는 실적 종류입니다. 가능한 종류: {known}",
    "The call knows no such record. Known: {known}",
)
RECORD_FIELD_MISSING = FindingKind(
    "RECORD_FIELD_MISSING", "입력하지 않은 항목입니다: {name_ko}", "A field is missing: {name_en}"
)
RECORD_FIELD_UNKNOWN = FindingKind(
    "RECORD_FIELD_UNKNOWN", "이 실적에 없는 항목입니다: {field}", "No such field: {field}"
)
RECORD_FIELD_VALUE = FindingKind(
    "RECORD_FIELD_VALUE",
    "{name_ko}: 값이 형식({expected})에 맞지 않습니다.",
    "{name_en}: the value is not of the form {expected}.",
)
STUDENT_UNKNOWN = FindingKind(
    "STUDENT_UNKNOWN",
    "교육생으로 등록하지 않은 사람입니다: {ref}",
    "Nobody is registered as a student under {ref}.",
)
STUDENT_TWICE = FindingKind(
    "STUDENT_TWICE",
    "이미 등록한 교육생입니다: {ref}",
    "A student is registered under {ref} already.",
)
DUTY_UNMET = FindingKind(
    "DUTY_UNMET",
    "{name_ko}: 연간 기준 {required} 중 {given}입니다. {missing} 부족합니다.",
    "{name_en}: {given} of the {required} a year; {missing} missing.",
    level="warning",
)
RECORD_LEFT_OUT = FindingKind(
    "RECORD_LEFT_OUT",
    "{name_ko} 실적에서 제외합니다: {why_ko}",
    "Not counted for {name_en}: {why_en}",
    level="warning",
)

STUDENT_RETURNED = FindingKind(
    "STUDENT_RETURNED",
    "보완을 요청받은 교육생 등록입니다: {ref}",
    "The registration of this student was sent back: {ref}",
)

_FORMS: Final[Mapping[str, str]] = {
    "text": f"글({MAX_TEXT}자 이내)",
    "number": f"0~{MAX_NUMBER:,} 정수",
    "day": "YYYY-MM-DD",
    "flag": "true | false",
    "people": f"교육생 식별번호 목록({MAX_PEOPLE}명 이내)",
}
_RETURNED = Text("전문기관이 보완을 요청했습니다", "the agency sent it back")
_NO_PROOF = Text("증빙이 없습니다", "it has no evidence")
_NOT_JOINED = Text("산학연계 프로그램 참여 실적이 없습니다", "no linked programme names them")


@dataclass(frozen=True, slots=True)
class Record:
    """Something that was done in a year; `proven` when it has its evidence, or needs none;
    `returned` while the agency's objection to it stands."""

    id: str
    kind: str
    body: Mapping[str, Any]
    proven: bool
    returned: bool = False

    @property
    def stands(self) -> bool:
        return self.proven and not self.returned

    def names(self, ref: str) -> bool:
        """Whether the record is of a student."""
        return self.body.get("ref") == ref or ref in (self.body.get("students") or ())


@dataclass(frozen=True, slots=True)
class Tally:
    """What a counter counted, and what it left out, with why."""

    counter: Counter
    value: int
    counted: tuple[str, ...]
    left_out: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class DutyCount:
    """A counter beside what the call requires of a year, and what the plan had promised."""

    tally: Tally
    required: int | None
    planned: int | None

    @property
    def missing(self) -> int:
        return max(0, (self.required or 0) - self.tally.value)


# Records ------------------------------------------------------------------------------------------


def record_findings(
    rules: RuleSet, kind: str, body: Mapping[str, Any], students: frozenset[str]
) -> Iterator[Finding]:
    """What is wrong with a record, by place; `students` are the references registered so far."""
    sorts = {sort.code: sort for sort in rules.call.records}
    if kind not in sorts:
        yield RECORD_KIND_UNKNOWN.at("/kind", field="kind", known=", ".join(sorts))
        return
    fields = {field.code: field for field in sorts[kind].fields}
    for code in sorted(body.keys() - fields.keys()):
        yield RECORD_FIELD_UNKNOWN.at(f"/body/{code}", field=code)
    for code, field in fields.items():
        names: dict[str, Any] = {"name_ko": field.name.ko, "name_en": field.name.en}
        if body.get(code) is None or body[code] == "":
            if field.required:
                yield RECORD_FIELD_MISSING.at(f"/body/{code}", field=code, **names)
        elif not _fits(field, body[code]):
            expected = " | ".join(field.options) or _FORMS[field.type]
            yield RECORD_FIELD_VALUE.at(f"/body/{code}", field=code, expected=expected, **names)
        elif field.type == "people":
            for ref in sorted(set(body[code]) - students):
                yield STUDENT_UNKNOWN.at(f"/body/{code}", field=code, ref=ref)
    if kind == STUDENT and body.get("ref") in students:
        yield STUDENT_TWICE.at("/body/ref", field="ref", ref=body["ref"])


def _fits(field: RecordField, value: Any) -> bool:
    match field.type:
        case "number":
            return type(value) is int and 0 <= value <= MAX_NUMBER
        case "flag":
            return type(value) is bool
        case "choice":
            return value in field.options
        case "people":
            return (
                isinstance(value, list)
                and len(value) <= MAX_PEOPLE
                and all(isinstance(ref, str) for ref in value)
            )
        case "day":
            return isinstance(value, str) and _is_day(value)
        case _:
            return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# Counting -----------------------------------------------------------------------------------------


def tally(
    rules: RuleSet, counter: Counter, records: Sequence[Record], student: str | None = None
) -> Tally:
    """A counter over the records of a year, or over those that name one student."""
    (kind,) = (sort for sort in rules.call.records if sort.code == counter.record)
    counted, left_out = [], []
    for record in records:
        if record.kind != counter.record or (student is not None and not record.names(student)):
            continue
        if _something_else(counter, record):
            continue
        why = _against(counter, kind, record, records)
        if why is None:
            counted.append(record)
        else:
            left_out.append((record.id, why))
    values = [int(record.body.get(counter.of or "") or 0) for record in counted]
    value = len(counted)
    if counter.measure == "sum":
        value = sum(values)
    elif counter.measure == "least":
        value = min(values, default=0)
    return Tally(counter, value, tuple(record.id for record in counted), tuple(left_out))


def _something_else(counter: Counter, record: Record) -> bool:
    """Whether a record is simply not what is counted (a bachelor among the masters)."""
    return any(record.body.get(code) not in options for code, options in counter.among.items())


def _against(
    counter: Counter, kind: RecordKind, record: Record, records: Iterable[Record]
) -> Text | None:
    """Why a record does not count."""
    if record.returned:
        return _RETURNED
    if not record.proven:
        return _NO_PROOF
    names = {field.code: field.name for field in kind.fields}
    for code in sorted(counter.flags):
        if record.body.get(code) is not True:
            return Text(f"{names[code].ko} - 아님", f"{names[code].en}: no")
    for code, least in counter.at_least.items():
        if int(record.body.get(code) or 0) < least:
            return Text(f"{names[code].ko} {least} 미만", f"{names[code].en} below {least}")
    ref = str(record.body.get("ref"))
    if counter.joined and not any(
        other.kind in counter.joined and other.stands and other.names(ref) for other in records
    ):
        return _NOT_JOINED
    return None


def duty_counts(
    rules: RuleSet, records: Sequence[Record], targets: Mapping[str, int]
) -> tuple[DutyCount, ...]:
    """Every counter of the call over a year's records (G-006, G-008)."""
    required = {duty.code: duty.at_least for duty in rules.call.duties}
    return tuple(
        DutyCount(
            tally(rules, counter, records), required.get(counter.code), targets.get(counter.code)
        )
        for counter in rules.call.counters
    )


def unmet_findings(counts: Iterable[DutyCount]) -> Iterator[Finding]:
    """What a year has not reached yet, and which records do not help it."""
    for count in counts:
        counter = count.tally.counter
        names: dict[str, Any] = {"name_ko": counter.name.ko, "name_en": counter.name.en}
        if count.missing:
            yield cited(DUTY_UNMET, counter.rule, counter.citation).at(
                f"/duties/{counter.code}",
                required=count.required,
                given=count.tally.value,
                missing=count.missing,
                **names,
            )
        for record, why in count.tally.left_out:
            yield cited(RECORD_LEFT_OUT, counter.rule, counter.citation).at(
                f"/records/{record}", why_ko=why.ko, why_en=why.en, **names
            )


# The certificate ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How a student stands towards the certificate (G-007): the numbers, and what is missing."""

    ref: str
    name: str
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def earned(self) -> bool:
        return not self.findings


def standing(rules: RuleSet, student: Record, records: Sequence[Record]) -> Standing:
    """A student against the conditions of the certificate, over all years of the project."""
    completion = rules.call.completion
    needed = {*completion.any_of, *(duty.code for duty in completion.at_least)}
    ref = str(student.body["ref"])
    counts = {
        counter.code: tally(rules, counter, records, ref).value
        for counter in rules.call.counters
        if counter.code in needed
    }
    activities = frozenset(code for code in completion.any_of if counts.get(code))
    found = tuple(completion_findings(rules, activities, counts))
    if student.returned:
        found += (cited(STUDENT_RETURNED, completion.rule, completion.citation).at("", ref=ref),)
    return Standing(ref, str(student.body["name"]), counts, found)


def masked(name: str) -> str:
    """A name on a list: all but its first and last character hidden (홍*동)."""
    if len(name) < 3:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]
