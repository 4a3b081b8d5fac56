"""Laws: what holds of any schema, whatever its columns are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.schema_drift.diff import SchemaDiff, diff_schemas
from dagster_agent.schema_drift.engine import RULES, accept
from dagster_agent.schema_drift.fingerprints import Samples, overlap
from dagster_agent.schema_drift.renames import match_renames

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
TYPES = ["INTEGER", "BIGINT", "VARCHAR", "DATE", "DECIMAL(10,2)", "STRUCT(a INTEGER, b VARCHAR)"]
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs", "P")), min_size=1)
COLUMN = st.builds(
    ColumnSchema,
    name=NAMES,
    type=st.sampled_from(TYPES),
    nullable=st.booleans(),
    default=st.sampled_from([None, "0"]),
    primary_key=st.booleans(),
    collation=st.sampled_from([None, "C"]),
    comment=st.sampled_from(["", "in euro"]),
)


@st.composite
def schemas(draw: st.DrawFn) -> TableSchema:
    columns = draw(st.lists(COLUMN, min_size=1, max_size=6, unique_by=lambda c: c.name.casefold()))
    return _placed(columns)


def _placed(columns: list[ColumnSchema], **more: object) -> TableSchema:
    placed = tuple(replace(column, position=place) for place, column in enumerate(columns, 1))
    return replace(
        TableSchema(relation=Relation(schema="main", name="t"), columns=placed, comment="orders"),
        **more,
    )


def _diff(
    before: TableSchema, after: TableSchema | None, samples: Samples | None = None
) -> SchemaDiff:
    return diff_schemas(before, after, dialect="duckdb", rename_confidence=0.6, samples=samples)


def _rules(diff: SchemaDiff) -> list[str]:
    return [rule.id for rule in RULES for _ in rule.find(diff)]


@given(schemas())
def test_a_schema_has_not_drifted_from_itself(schema: TableSchema) -> None:
    diff = _diff(schema, schema)
    assert diff.empty
    assert _rules(diff) == []


@given(schemas(), schemas())
def test_what_is_accepted_is_quiet(before: TableSchema, after: TableSchema) -> None:
    accepted = accept("model.shop.t", observed=after, accepted_by="ann", now=NOW)
    assert _rules(_diff(accepted.schema, after)) == []
    assert _diff(before, after).empty == (_rules(_diff(before, after)) == [])


@given(schemas(), schemas())
def test_a_rename_is_one_in_both_directions(before: TableSchema, after: TableSchema) -> None:
    there = {(r.before.name, r.after.name, r.confidence) for r in _diff(before, after).renamed}
    back = {(r.after.name, r.before.name, r.confidence) for r in _diff(after, before).renamed}
    assert there == back


HASHES = st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=100, unique=True).map(
    lambda found: tuple(sorted(found))
)


@given(HASHES, HASHES)
def test_overlap_is_symmetric_and_whole_with_itself(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    assert overlap(one, one) == 1
    assert overlap(one, other) == overlap(other, one)
    assert 0 <= overlap(one, other) <= 1


@given(st.integers(0, 50))
def test_more_shared_values_never_make_a_rename_less_likely(shared: int) -> None:
    old, new = (ColumnSchema(name=name, type="INTEGER", position=1) for name in ("qty", "weight"))

    def confidence(share: int) -> float:
        before = {"qty": tuple(range(100))}
        after = {"weight": tuple(range(100 - share, 200 - share))}
        (rename,) = match_renames(
            [old],
            [new],
            baseline=_placed([old]),
            observed=_placed([new]),
            dialect="duckdb",
            least=0.0,
            samples=Samples(before=before, after=after),
        )
        return rename.confidence

    assert confidence(shared) <= confidence(shared + 50)


BASE = _placed(
    [
        ColumnSchema(name="id", type="INTEGER", nullable=False, primary_key=True),
        ColumnSchema(name="status", type="VARCHAR", default="'new'", collation="C"),
        ColumnSchema(name="amount", type="DECIMAL(10,2)", comment="in euro"),
        ColumnSchema(name="address", type="STRUCT(zip VARCHAR, city VARCHAR)"),
        ColumnSchema(name="placed_at", type="TIMESTAMP"),
        ColumnSchema(name="note", type="VARCHAR"),
    ]
)


def _with(column: str, **more: object) -> TableSchema:
    return _placed([replace(c, **more) if c.name == column else c for c in BASE.columns])


COLUMNS = list(BASE.columns)
PLANTED: dict[str, TableSchema | None] = {
    "column-added": _placed([*COLUMNS, ColumnSchema(name="vat", type="DOUBLE")]),
    "column-removed": _placed(COLUMNS[:-1]),
    "column-renamed": _with("placed_at", name="ordered_at"),
    "column-recased": _with("note", name="NOTE"),
    "column-retyped": _with("amount", type="VARCHAR"),
    "column-moved": _placed([*COLUMNS[1:], COLUMNS[0]]),
    "column-nullable": _with("id", nullable=True),
    "column-tightened": _with("note", nullable=False),
    "column-default-changed": _with("status", default="'open'"),
    "column-collation-changed": _with("status", collation="NOCASE"),
    "comment-changed": _with("amount", comment="in cents"),
    "primary-key-changed": _with("id", primary_key=False),
    "nested-field-added": _with("address", type="STRUCT(zip VARCHAR, city VARCHAR, x DATE)"),
    "nested-field-removed": _with("address", type="STRUCT(zip VARCHAR)"),
    "nested-field-retyped": _with("address", type="STRUCT(zip BIGINT, city VARCHAR)"),
    "table-missing": None,
    "table-replaced-by-view": replace(BASE, kind="view"),
}


def test_every_planted_change_is_found_by_exactly_one_rule() -> None:
    for expected, observed in PLANTED.items():
        assert _rules(_diff(BASE, observed)) == [expected]
    assert _rules(_diff(replace(BASE, kind="view"), BASE)) == ["view-replaced-by-table"]
    told = replace(_diff(BASE, BASE), new_tables=("main.refunds",))
    assert _rules(told) == ["table-added"]
    others = {"view-replaced-by-table", "table-added"}
    promises = {"contract-violated", "described-column-missing"}
    documents = {"json-key-added", "json-key-removed", "json-key-retyped"}  # test_json_laws
    assert {*PLANTED, *others, *promises, *documents} == {rule.id for rule in RULES}
