"""Reads plain JSON values into frozen dataclasses by their annotations, exactly and completely.

A rule set is data written by people. Whoever edits one wants every mistake at once, each with
the JSON Pointer of the value, so reading never stops at the first. Nothing is guessed: unknown
keys, missing keys and values of the wrong type are all findings, and decimals become
`fractions.Fraction`, so that no binary floating point ever comes near won.
"""

import json
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from services.grants.errors import (
    RULE_SET_KEY_MISSING,
    RULE_SET_KEY_UNKNOWN,
    RULE_SET_VALUE,
    RuleSetInvalid,
)
from shared.problems import Finding

T = TypeVar("T")

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9}|/[0-9]{1,9})?")

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_INT: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly."""

_BAD: Final = object()
"""Stands for a value that could not be read; its finding is already recorded."""


def decode(text: str | bytes) -> Any:
    """JSON text to plain values; decimals become Fractions, a key given twice is refused."""
    try:
        return json.loads(
            text,
            parse_float=_fraction,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_twice,
        )
    except (ValueError, RecursionError) as error:
        raise RuleSetInvalid(
            errors=[RULE_SET_VALUE.at(expected="JSON", given=str(error))]
        ) from None


def read(kind: type[T], value: Any, pointer: str = "") -> T:
    """`value` as an instance of the dataclass `kind`, or `RuleSetInvalid` with every finding.

    Understands str, int, bool, date, aware datetime, Fraction (from "12.5", "1/3", 12 or 12.5),
    Literal, X | None, tuple[X, ...], frozenset[X], Mapping[str, X], Any and nested dataclasses.
    """
    findings: list[Finding] = []
    result = _read(kind, value, pointer, findings)
    if findings:
        raise RuleSetInvalid(errors=findings)
    return result  # type: ignore[no-any-return]  # _read answers by the annotation it was given


def _fraction(number: str) -> Fraction:
    """A plain decimal or ratio; exponents are refused, `1e999999999` would never end."""
    if not _NUMBER.fullmatch(number):
        raise ValueError(number[:80])
    return Fraction(number)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError(f"key given twice among {sorted(key for key, _ in pairs)}")
    return result


@cache
def _annotations(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        (inner,) = (option for option in get_args(kind) if option is not types.NoneType)
        return _read(inner, value, at, findings)
    if origin is Literal:
        return value if value in get_args(kind) else _bad(kind, value, at, findings)
    if origin in (tuple, frozenset):
        return _read_list(origin, get_args(kind)[0], value, at, findings)
    if origin is Mapping:
        return _read_mapping(get_args(kind)[1], value, at, findings)
    if is_dataclass(kind):
        return _read_dataclass(kind, value, at, findings)
    return _read_scalar(kind, value, at, findings)


def _read_scalar(kind: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    if isinstance(value, float | Fraction) and _is_whole(value):
        value = int(value)  # JSON knows one number only: 5.0 is 5
    if type(value) is int and not -MAX_INT <= value <= MAX_INT:
        return _bad(kind, value, at, findings)
    try:
        if kind is Fraction and type(value) in (int, str, Fraction):
            return _fraction(value) if isinstance(value, str) else Fraction(value)
        if kind is date and isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
        if kind is datetime and isinstance(value, str):
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is not None:
                return instant
        if kind in (str, int, bool) and type(value) is kind:
            return value
    except (ValueError, ZeroDivisionError):
        pass
    return _bad(kind, value, at, findings)


def _is_whole(value: float | Fraction) -> bool:
    return value.is_integer() if isinstance(value, float) else value.denominator == 1


def _read_list(origin: Any, inner: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    if not isinstance(value, list):
        return _bad(origin, value, at, findings)
    return origin(_read(inner, item, f"{at}/{i}", findings) for i, item in enumerate(value))


def _read_mapping(inner: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    if not isinstance(value, dict):
        return _bad(dict, value, at, findings)
    return types.MappingProxyType(
        {key: _read(inner, item, f"{at}/{_escape(key)}", findings) for key, item in value.items()}
    )


def _read_dataclass(kind: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    if not isinstance(value, dict):
        return _bad(kind, value, at, findings)
    annotations = _annotations(kind)
    arguments: dict[str, Any] = {}
    known = [field for field in fields(kind) if field.init]
    for field in known:
        if field.name in value:
            arguments[field.name] = _read(
                annotations[field.name], value[field.name], f"{at}/{field.name}", findings
            )
        elif field.default is MISSING and field.default_factory is MISSING:
            findings.append(RULE_SET_KEY_MISSING.at(f"{at}/{field.name}", key=field.name))
            arguments[field.name] = _BAD
    findings.extend(
        RULE_SET_KEY_UNKNOWN.at(f"{at}/{_escape(key)}", key=key)
        for key in sorted(value.keys() - {field.name for field in known})
    )
    if any(argument is _BAD for argument in arguments.values()):
        return _BAD
    return kind(**arguments)


def _bad(kind: Any, value: Any, at: str, findings: list[Finding]) -> Any:
    name = getattr(kind, "__name__", str(kind))
    if get_origin(kind) is Literal:
        name = " | ".join(map(str, get_args(kind)))
    findings.append(RULE_SET_VALUE.at(at, expected=name, given=str(value)[:80]))
    return _BAD


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
