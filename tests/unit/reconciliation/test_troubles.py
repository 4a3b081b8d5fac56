"""What is missing, empty, unknown or down is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import DetectionStatus, ResultTable, Severity
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.engine import METHODS, reconcile

PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
COULD_NOT_RUN, UNTRAINED = DetectionStatus.COULD_NOT_RUN, DetectionStatus.UNTRAINED
SQL = (
    'select o.id, c.name from "shop".main.raw_orders o'
    ' left join "shop".main.raw_customers c on c.id = o.customer_id'
)


def only(found: dict[str, Any]) -> Any:
    assert list(found) == ["row-count"]
    return found["row-count"]


def test_the_methods() -> None:
    assert list(METHODS.members()) == [
        "column-aggregates",
        "join-match",
        "key-difference",
        "metric-agreement",
        "row-count",
    ]
    assert all(method.compare.__doc__ for method in METHODS)


def test_a_model_that_vanished(project: Any) -> None:
    uid = project.model("fct_orders", SQL)
    project.execute("drop table fct_orders")
    found = only(project.reconcile(uid))
    assert (found.status, found.severity) == (FAILED, Severity.ERROR)
    assert found.headline == "shop.main.fct_orders does not exist in duckdb:shop"


def test_a_driving_table_that_vanished(project: Any) -> None:
    uid = project.model("fct_orders", SQL)
    project.execute("drop table raw_orders")
    found = only(project.reconcile(uid))
    assert found.status is FAILED
    assert found.headline == "shop.main.raw_orders does not exist in duckdb:shop"


def test_a_source_that_is_a_file_is_no_table_that_vanished(project: Any, tmp_path: Path) -> None:
    file = tmp_path / "tickets.parquet"
    project.execute(f"copy (select 1 as id) to '{file}' (format parquet)")
    project.source("tickets")
    project.sources["source.test.raw.tickets"]["relation_name"] = f"'{file}'"
    reads = {"depends_on": {"nodes": ["source.test.raw.tickets"]}}
    uid = project.model("stg_tickets", f"select id from '{file}'", **reads)
    found = only(project.reconcile(uid))
    assert found.status is UNTRAINED
    assert found.headline == (
        "stg_tickets is not compared with what it reads: tickets is no table of the warehouse"
        " (an external location)"
    )


def test_a_lookup_that_vanished(project: Any) -> None:
    uid = project.model("fct_orders", SQL)
    project.execute("drop table raw_customers")
    found = project.reconcile(uid)
    assert found["row-count"].status is COULD_NOT_RUN
    assert "raw_customers" in found["row-count"].headline


def test_empty_tables(project: Any) -> None:
    uid = project.model("fct_orders", SQL, key=("id",))
    project.execute("delete from fct_orders")
    found = project.reconcile(uid)["row-count"]
    assert found.status is FAILED
    assert found.headline == "fct_orders is empty, although its SQL yields 1,000 rows now"
    project.execute("delete from raw_orders")
    found = project.reconcile(uid)
    assert found["row-count"].status is FAILED
    assert found["row-count"].severity is Severity.WARN
    assert found["row-count"].headline == (
        "raw_orders, which the rows of fct_orders come from, is empty"
    )
    assert found["key-difference"].status is PASSED


def test_an_empty_lookup_matches_nothing(project: Any) -> None:
    uid = project.model("fct_orders", SQL)
    project.execute("delete from raw_customers")
    found = project.reconcile(uid)
    assert found["row-count"].status is PASSED
    assert found["join-match"].metrics["match_share.raw_customers"] == 0


def test_a_declared_key_that_is_broken(project: Any) -> None:
    uid = project.model("fct_orders", SQL, key=("id",))
    project.execute("insert into fct_orders values (1, 'twice'), (null, 'none'), (null, 'none')")
    found = project.reconcile(uid)
    assert found["row-count"].status is PASSED
    keys = found["key-difference"]
    assert keys.status is FAILED
    assert keys.headline == (
        "fct_orders and raw_orders differ by id: 1 duplicated and 2 rows without a key"
    )
    project.execute("insert into raw_orders select * from raw_orders where id = 1")
    project.execute("insert into raw_orders select null, 1, 1, 1, ''")
    assert project.reconcile(uid)["key-difference"].status is PASSED


def test_what_has_no_compiled_sql(project: Any) -> None:
    uid = project.model("fct_orders", SQL)
    project.nodes[uid]["compiled_code"] = None
    found = only(project.reconcile(uid))
    assert found.status is COULD_NOT_RUN
    assert "dbt compile" in found.hint


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"language": "python", "original_file_path": "models/m.py"}, "Python model"),
        ({"resource_type": "snapshot"}, "former versions"),
        ({"resource_type": "seed"}, "a seed has no SQL"),
    ],
)
def test_what_cannot_be_compared_is_untrained(project: Any, node: Any, reason: str) -> None:
    found = only(project.reconcile(project.model("m", SQL, **node)))
    assert found.status is UNTRAINED
    assert reason in found.headline


def test_a_python_model_may_still_be_configured(project: Any) -> None:
    meta = {"reconcile": [{"with": "raw_orders", "key": "id"}]}
    uid = project.model("m", SQL, meta=meta, language="python", original_file_path="models/m.py")
    assert {d.status for d in project.reconcile(uid).values()} == {PASSED}


def test_sql_that_the_guard_or_the_parser_refuses(project: Any) -> None:
    uid = project.model("from_file", "select * from 'data/x.csv'", build=False)
    project.execute("create table from_file as select 1 as id")
    found = project.reconcile(uid)["row-count"]
    assert found.status in (COULD_NOT_RUN, FAILED)
    assert "data/x.csv" in found.headline
    uid = project.model("from_file", "select * frm x", build=False)
    found = only(project.reconcile(uid))
    assert found.status is COULD_NOT_RUN
    assert "does not parse" in found.headline


def test_an_unknown_asset_is_an_error(project: Any) -> None:
    with pytest.raises(ConfigError, match="fct_ordres"):
        project.reconcile("model.test.fct_ordres")


@dataclass
class DownWarehouse:
    dialect: str = "duckdb"
    name: str = "duckdb:down"

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        raise ConnectorError("duckdb:down is locked by a dbt run", retryable=True)

    def schemas(self, relations: Any) -> Any:
        raise ConnectorError("duckdb:down is locked by a dbt run", retryable=True)

    def facts(self, relations: Any) -> Any:
        raise NotImplementedError

    def batches(self, sql: str, *, purpose: str) -> Any:
        raise NotImplementedError

    def bytes_scanned(self, sql: str) -> int | None:
        raise NotImplementedError

    def scratch(self, directory: Any) -> Any:
        raise NotImplementedError


def test_a_warehouse_that_is_down_is_a_result(project: Any) -> None:
    uid = project.model("fct_orders", SQL, meta={"reconcile": [{"with": "raw_orders"}]})
    found = reconcile(
        uid,
        manifest=project.manifest,
        warehouse=DownWarehouse(),
        config=ReconciliationConfig(),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert [d.status for d in found] == [COULD_NOT_RUN] * 2
    assert all("duckdb:down is locked by a dbt run" in d.headline for d in found)
