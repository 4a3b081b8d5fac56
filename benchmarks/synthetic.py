"""A dbt project of any size, for measuring what grows with the number of models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TESTS_PER_MODEL = 3
_COLUMNS = 20


def manifest(models: int) -> dict[str, Any]:
    """A chain of sources and models, each with 20 columns and three generic tests.

    Args:
        models: Number of models; every tenth reads a source, the others their neighbour.
    """
    nodes: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    for number in range(models):
        uid = f"model.big.m{number}"
        if number % 10 == 0:
            parent = f"source.big.raw.s{number}"
            sources[parent] = _source(parent, f"s{number}")
        else:
            parent = f"model.big.m{number - 1}"
        nodes[uid] = _model(uid, f"m{number}", parent)
        for kind in range(_TESTS_PER_MODEL):
            test = _test(uid, f"m{number}", kind)
            nodes[test["unique_id"]] = test
    every = {**nodes, **sources}
    parents = {uid: node.get("depends_on", {}).get("nodes", []) for uid, node in every.items()}
    children: dict[str, list[str]] = {uid: [] for uid in every}
    for uid, above in parents.items():
        for parent in above:
            children[parent].append(uid)
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "big",
            "adapter_type": "duckdb",
            "project_id": "big",
        },
        "nodes": nodes,
        "sources": sources,
        "parent_map": parents,
        "child_map": children,
        **{key: {} for key in _EMPTY},
    }


def tables(models: int) -> Iterator[str]:
    """Statements that create the sources and models of `manifest`, empty, in DuckDB."""
    columns = ", ".join(f"c{number} integer" for number in range(_COLUMNS))
    yield "create schema raw"
    for number in range(models):
        if number % 10 == 0:
            yield f"create table raw.s{number} ({columns})"
        yield f"create table m{number} ({columns})"


_EMPTY = (
    *("macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled"),
    *("group_map", "saved_queries", "semantic_models", "unit_tests", "functions"),
)


def _columns() -> dict[str, Any]:
    return {
        f"c{number}": {"name": f"c{number}", "description": "", "meta": {}, "data_type": "integer"}
        for number in range(_COLUMNS)
    }


def _model(uid: str, name: str, parent: str) -> dict[str, Any]:
    return {
        **_node(uid, name, "model"),
        "relation_name": f'"big"."main"."{name}"',
        "raw_code": f"select * from {parent}",
        "compiled_code": f"select * from {parent}",
        "language": "sql",
        "depends_on": {"nodes": [parent], "macros": []},
        "columns": _columns(),
        "config": {**_config(), "materialized": "table"},
    }


def _source(uid: str, name: str) -> dict[str, Any]:
    return {
        **_node(uid, name, "source"),
        "source_name": "raw",
        "source_description": "",
        "loader": "",
        "identifier": name,
        "relation_name": f'"big"."raw"."{name}"',
        "columns": _columns(),
        "source_meta": {},
        "freshness": None,
        "loaded_at_field": None,
        "config": _config(),
    }


def _test(model: str, name: str, number: int) -> dict[str, Any]:
    kind = ("unique", "not_null", "not_null")[number]
    return {
        **_node(f"test.big.{kind}_{name}_c{number}.{number}", f"{kind}_{name}_c{number}", "test"),
        "depends_on": {"nodes": [model], "macros": []},
        "attached_node": model,
        "column_name": f"c{number}",
        "test_metadata": {"name": kind, "kwargs": {"column_name": f"c{number}"}},
        "raw_code": "",
        "refs": [{"name": name, "package": None, "version": None}],
        "config": {**_config(), "severity": "ERROR", "materialized": "test"},
    }


def _node(uid: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "unique_id": uid,
        "name": name,
        "resource_type": kind,
        "package_name": "big",
        "database": "big",
        "schema": "main",
        "alias": name,
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "fqn": ["big", name],
        "tags": [],
        "meta": {},
        "description": "",
    }


def _config() -> dict[str, Any]:
    return {"enabled": True, "tags": [], "meta": {}, "group": None}
