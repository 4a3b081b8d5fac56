"""Looks of the sensor: flapping is no news, a drop is, at the second look."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dagster_agent.errors import ConfigError
from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.schema_drift.snapshot import (
    GONE,
    changed_tables,
    compare_looks,
    digest,
    newest_manifest,
)


def _news(*looks: str) -> list[bool]:
    """Whether each look at one table is news."""
    told: list[bool] = []
    kept: Mapping[str, str] = {}
    for seen in looks:
        news, kept = compare_looks(kept, {"orders": seen})
        told.append(bool(news))
    return told


@pytest.mark.parametrize(
    ("looks", "news"),
    [
        (["a", "a", "a"], [True, False, False]),
        (["a", "b", "b", "a"], [True, True, False, True]),
        (["a", GONE, "a", "a"], [True, False, False, False]),
        (["a", GONE, GONE, GONE], [True, False, True, False]),
        (["a", GONE, "b", "b"], [True, False, True, False]),
        (["a", GONE, GONE, "a"], [True, False, True, True]),
        ([GONE, GONE, "a"], [True, False, True]),
    ],
)
def test_looks(looks: list[str], news: list[bool]) -> None:
    assert _news(*looks) == news


def test_a_table_that_was_not_looked_at_keeps_what_is_known() -> None:
    news, kept = compare_looks({"orders": "a", "users": "b"}, {"users": "b"})
    assert (news, kept) == ((), {"orders": "a", "users": "b"})


SCHEMA = TableSchema(
    relation=Relation(name="orders"), columns=(ColumnSchema(name="id", type="INTEGER", position=1),)
)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "BIGINT"},
        {"nullable": False},
        {"default": "1"},
        {"primary_key": True},
        {"collation": "C"},
        {"comment": "x"},
        {"name": "ID"},
    ],
)
def test_a_digest_sees_every_property(change: dict[str, object]) -> None:
    (column,) = SCHEMA.columns
    other = replace(SCHEMA, columns=(replace(column, **change),))
    assert digest(SCHEMA) != digest(other)
    assert changed_tables({"orders": SCHEMA}, {"orders": other}) == ("orders",)


def test_a_table_made_anew_with_the_same_columns_has_not_changed() -> None:
    again = replace(SCHEMA, columns=(ColumnSchema(name="id", type="INTEGER", position=1),))
    assert digest(SCHEMA) == digest(again)
    assert digest(None) == GONE
    assert digest(SCHEMA) != digest(replace(SCHEMA, kind="view"))
    assert changed_tables({"a": SCHEMA, "b": SCHEMA}, {"a": again, "c": SCHEMA}) == ("b", "c")


def test_the_newest_manifest_is_taken_and_none_is_made(tmp_path: Path) -> None:
    target, compiled = tmp_path / "target", tmp_path / "manifests"
    with pytest.raises(ConfigError, match="no dbt manifest"):
        newest_manifest(target, compiled)
    for number, path in enumerate((target / "manifest.json", compiled / "a.json"), start=1):
        path.parent.mkdir()
        path.write_text("{}")
        os.utime(path, (number, number))
    assert newest_manifest(target, compiled) == compiled / "a.json"
