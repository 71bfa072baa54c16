"""JSON Schema of a call's proposal, for front ends: made from what the service itself reads by.

The typed parts come from the dataclasses that `reading.read` fills, the sections from the call's
form, so that the schema refuses what the service refuses by shape. What a rule says (caps, rates,
deadlines) is no shape: the check answers that, with its citation.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from services.grants.programmes.reading import MAX_INT
from services.grants.programmes.rules import Column, Part, RuleSet
from services.grants.proposals.document import Document, form_code
from services.grants.proposals.rules.form import BOUNDS, LENGTHS, MAX_ROWS, MAX_TEXT, PATTERNS
from services.grants.proposals.titles import TITLES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MEDIA_TYPE: Final = "application/schema+json"

_END: Final = r"$(?!\n)"  # in some dialects `$` matches before a final line break too
_INTEGER: Final = {"type": "integer", "minimum": -MAX_INT, "maximum": MAX_INT}
_FRACTION: Final = {
    "anyOf": [
        _INTEGER,
        {
            "type": "string",
            "pattern": rf"^-?[0-9]{{1,18}}(\.[0-9]{{1,9}}|/(?!0+{_END})[0-9]{{1,9}})?{_END}",
            "examples": ["33.3"],
        },
    ]
}
_DAY: Final = {"type": "string", "format": "date", "pattern": f"^{PATTERNS['day']}{_END}"}
_SCALARS: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: _INTEGER,
    bool: {"type": "boolean"},
    date: _DAY,
    Fraction: _FRACTION,
    Any: {},
}


@lru_cache(maxsize=64)
def document_schema(rules: RuleSet) -> dict[str, Any]:
    """The schema of a proposal to this call. Treat it as frozen; one call's never changes."""
    schema = _described(Document)
    schema["properties"]["form"] = {
        "anyOf": [{"const": form_code(rules)}, {"type": "null"}],
        "title": TITLES[Document, "form"],
    }
    schema["properties"]["sections"] = _sections(rules)
    return {
        "$schema": DIALECT,
        "$id": f"/api/v1/grants/forms/{form_code(rules)}",
        "title": rules.form.title.ko,
        "description": rules.name.ko,
        **schema,
    }


# Typed parts -------------------------------------------------------------------------------------


def _described(kind: Any) -> dict[str, Any]:
    """The schema of what `reading.read` takes for an annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if NoneType in arguments:
        (inner,) = (option for option in arguments if option is not NoneType)
        return {"anyOf": [_described(inner), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (tuple, frozenset):
        return {"type": "array", "items": _described(arguments[0])}
    if is_dataclass(kind):
        return _object(kind)
    return {"type": "object", "additionalProperties": _described(arguments[1])}


def _object(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    known = [field for field in fields(kind) if field.init]
    required = [
        field.name
        for field in known
        if field.default is MISSING and field.default_factory is MISSING
    ]
    return {
        "type": "object",
        "properties": {
            field.name: {**_described(hints[field.name]), "title": TITLES[kind, field.name]}
            for field in known
        },
        "required": required,
        "additionalProperties": False,
    }


# Sections ----------------------------------------------------------------------------------------


def _sections(rules: RuleSet) -> dict[str, Any]:
    if not rules.form.sections:
        return {"type": "object", "title": TITLES[Document, "sections"]}
    return {
        "type": "object",
        "title": TITLES[Document, "sections"],
        "properties": {code: _part(part) for code, part in rules.parts.items()},
        "additionalProperties": False,
    }


def _part(part: Part) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {column.code: _column(column) for column in part.entered},
        "additionalProperties": False,
    }
    if part.kind == "text":
        shape: dict[str, Any] = {"type": "string", "maxLength": MAX_TEXT}
    elif part.kind == "record":
        shape = row
    elif part.rows:
        named = {line.code: {**row, "title": line.name.ko} for line in part.rows}
        shape = {"type": "object", "properties": named, "additionalProperties": False}
    else:
        shape = {"type": "array", "items": row, "maxItems": MAX_ROWS}
    note = {"description": part.note.ko} if part.note else {}
    return {"title": part.name.ko, **note, **shape}


def _column(column: Column) -> dict[str, Any]:
    match column.type:
        case "text" | "long" | "crn":
            shape: dict[str, Any] = {"type": "string", "maxLength": LENGTHS[column.type]}
        case "count" | "won" | "year":
            least, most = BOUNDS[column.type]
            shape = {"type": "integer", "minimum": least, "maximum": most}
        case "choice":
            shape = {"oneOf": [{"const": o.code, "title": o.name.ko} for o in column.options]}
        case "months":
            month = {"type": "integer", "minimum": 1, "maximum": 12}
            shape = {"type": "array", "items": month, "uniqueItems": True}
        case "day":
            shape = dict(_DAY)
        case pattern:
            shape = {"type": "string", "pattern": f"^{PATTERNS[pattern]}{_END}"}
    return {"title": column.name.ko, "anyOf": [shape, {"type": "null"}]}
