"""What the state store writes is what it reads: shapes beyond those of the nouns in `model/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.connectors.state_stores.codec import canonical, decode, encode
from dagster_agent.model import ResultTable, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    keys: tuple[tuple[str, str], ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner: Inner | None
    numbers: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    pairs: list[tuple[int, bool]] = field(default_factory=lambda: list[tuple[int, bool]]())


def test_nested_shapes() -> None:
    value = Outer(
        inner=Inner(keys=(("a", "b"), ("ü", "")), severity=Severity.WARN),
        numbers={"x": 1.5, "y": float("inf")},
        pairs=[(1, True), (2**70, False)],
    )
    assert decode(Outer, encode(value)) == value
    assert decode(Outer, encode(Outer(inner=None)).encode()) == Outer(inner=None)


def test_older_and_newer_texts_are_read() -> None:
    assert decode(Inner, '{"keys": [["a", "b"]], "of_a_later_version": 1}') == Inner(
        keys=(("a", "b"),)
    )


@given(
    cells=st.lists(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.decimals(allow_nan=False)
        | st.text()
        | st.binary()
        | st.dates()
        | st.datetimes()
        | st.times()
        | st.timedeltas(),
        max_size=8,
    )
)
def test_every_cell_survives(cells: list[object]) -> None:
    table = ResultTable(columns=tuple(map(str, range(len(cells)))), rows=(tuple(cells),))
    text = encode(table)
    assert text.isascii()
    found = decode(ResultTable, text)
    assert found == table
    assert [type(cell) for cell in found.rows[0]] == [type(cell) for cell in cells]


@given(value=st.dictionaries(st.text(), st.integers() | st.text() | st.floats()))
def test_canonical_text_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert canonical(value) == canonical(backwards)


def test_a_field_that_is_missing_is_an_error() -> None:
    with pytest.raises(TypeError, match="keys"):
        decode(Inner, "{}")
