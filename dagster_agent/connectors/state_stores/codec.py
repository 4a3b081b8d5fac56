"""Nouns of `model/` to JSON text and back, without loss.

Decimals, dates and bytes in a `ResultTable` come back as what they were: a cell that JSON cannot
hold is written as `{"<type>": "<text>"}`. msgspec converts the scalars; it cannot decode the nouns
themselves, because `Cell` is a union of several text-like types.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from dagster_agent.model import Cell, ResultTable

T = TypeVar("T")

_TAGS: Mapping[type, str] = {
    Decimal: "decimal",
    bytes: "bytes",
    datetime: "datetime",
    date: "date",
    time: "time",
    timedelta: "timedelta",
}
_TYPES: Mapping[str, type[Any]] = {"float": float, **{tag: kind for kind, tag in _TAGS.items()}}


def encode(value: object) -> str:
    """JSON text in ASCII: any database, whatever its encoding, can hold any identifier."""
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False)


def decode(kind: type[T], text: str | bytes) -> T:
    """The value that `encode` wrote. Fields it does not know are ignored, missing ones default."""
    return cast("T", _build(kind, json.loads(text)))


def canonical(value: object) -> str:
    """One JSON text per value: sorted keys, no spaces, ASCII."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: object, *, tagged: bool = False) -> Any:
    """The value as JSON holds it: mappings with text keys, lists, text, finite numbers, None.

    Args:
        value: A noun, or what a mapping of particulars may hold; anything unknown as its text.
        tagged: Whether what JSON lacks is written with its type, as cells are.
    """
    if value is None or isinstance(value, (bool, str)) or type(value) in _TAGS:
        return _scalar(value, tagged=tagged)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else _tag("float", str(number), tagged=tagged)
    if is_dataclass(value) and not isinstance(value, type):
        inside = tagged or isinstance(value, ResultTable)
        return {f.name: plain(getattr(value, f.name), tagged=inside) for f in fields(value)}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {str(key): plain(item, tagged=tagged) for key, item in pairs.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, tagged=tagged) for item in cast("Sequence[object]", value)]
    if isinstance(value, Set):
        items = cast("Set[object]", value)
        return sorted((plain(item, tagged=tagged) for item in items), key=repr)
    return str(value)


def _scalar(value: object, *, tagged: bool) -> Any:
    if isinstance(value, Enum):
        return value.value
    if tag := _TAGS.get(type(value)):
        return _tag(tag, str(msgspec.to_builtins(value)), tagged=tagged)
    return value


def _tag(tag: str, text: str, *, tagged: bool) -> Any:
    return {tag: text} if tagged else text


def _build(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if kind == Cell:
        return _cell(value)
    if kind is float:
        return float(value)
    if origin in (Union, UnionType):
        (kind,) = (a for a in arguments if a is not NoneType)
        return None if value is None else _build(kind, value)
    if origin is tuple and arguments[-1] is not ...:
        return tuple(_build(a, item) for a, item in zip(arguments, value, strict=True))
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in value)
    if origin is list:
        return [_build(arguments[0], item) for item in value]
    if origin is not None and issubclass(origin, Mapping):
        return {key: _build(arguments[1], item) for key, item in value.items()}
    if is_dataclass(kind):
        noun = cast("type[Any]", kind)
        hints = _hints(noun)
        return noun(**{n: _build(hints[n], v) for n, v in value.items() if n in hints})
    return msgspec.convert(value, kind)


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        ((tag, text),) = cast("dict[str, str]", value).items()
        kind = _TYPES[tag]
        return float(text) if kind is float else msgspec.convert(text, kind)
    return value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
