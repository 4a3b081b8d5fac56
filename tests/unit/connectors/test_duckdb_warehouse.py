"""What is DuckDB's own: profiles, attached files, limits, errors."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.connectors.warehouses import WarehouseConfig, open_warehouse
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.connectors.warehouses.duckdb_profile import catalog_of
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse


def _load(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def _open(directory: Path, **output: Any) -> Warehouse:
    return open_warehouse(
        {"type": "duckdb", "path": "shop.duckdb", **output},
        base_dir=directory,
        snapshot_dir=directory / "snapshots",
        config=WarehouseConfig(wait_seconds=0.2),
    )


def test_attached_files_are_copied_too(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT 1 AS id")
    _load(tmp_path / "raw data.duckdb", "CREATE TABLE t AS SELECT 2 AS id")
    warehouse = _open(
        tmp_path, attach=[{"path": "raw data.duckdb", "alias": "raw", "read_only": True}]
    )
    sql = "SELECT a.id + b.id AS total FROM shop.main.t AS a CROSS JOIN raw.main.t AS b"
    with (
        duckdb.connect(str(tmp_path / "raw data.duckdb")),
        pytest.raises(ConnectorError, match="raw data"),
    ):
        warehouse.query(sql, purpose="test")
    assert warehouse.query(sql, purpose="test").scalar() == 3
    raw = Relation(database="raw", schema="main", name="t")
    assert warehouse.schemas([raw])[raw].columns[0].name == "id"


def test_scratch_redirects_attached_files(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT 1 AS id")
    _load(tmp_path / "raw.duckdb", "CREATE TABLE t AS SELECT 2 AS id")
    warehouse = _open(
        tmp_path,
        attach=[{"path": "raw.duckdb"}, {"path": "host=db", "type": "postgres", "alias": "pg"}],
    )
    (tmp_path / "scratch").mkdir()
    scratch = warehouse.scratch(tmp_path / "scratch")
    assert scratch.dbt_output["path"] == str(tmp_path / "scratch" / "shop.duckdb")
    ((attached),) = scratch.dbt_output["attach"]
    assert attached["alias"] == "raw"
    _load(Path(attached["path"]), "DELETE FROM t")
    sql = "SELECT count(*) AS n FROM raw.main.t"
    assert scratch.warehouse.query(sql, purpose="test").scalar() == 0
    assert warehouse.query(sql, purpose="test").scalar() == 1


def test_catalogs_that_are_not_attached_are_named(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT 1 AS id")
    warehouse = _open(
        tmp_path, attach=[{"path": "dbname=x", "type": "postgres", "alias": "pg"}], extensions=["x"]
    )
    with pytest.raises(ConnectorError, match=r"not attached: pg \(postgres\)"):
        warehouse.query("SELECT * FROM pg.public.t", purpose="test")


@pytest.mark.parametrize("path", [":memory:", "", "md:shop", "motherduck:shop", "s3://b/shop.db"])
def test_what_is_no_local_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _open(tmp_path, path=path)
    assert repr(path) in caught.value.message
    assert caught.value.hint


def test_tokens_in_paths_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        _open(tmp_path, path="md:shop?motherduck_token=abc123")
    assert "abc123" not in str(caught.value)


def test_a_missing_driver_names_the_extra(tmp_path: Path) -> None:
    script = """
import importlib.util
from pathlib import Path
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "duckdb" else real(name, *rest)
from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.errors import ConfigError
try:
    open_warehouse({"type": "duckdb", "path": "x"}, base_dir=Path("."), snapshot_dir=Path("."))
except ConfigError as problem:
    assert "dagster-agent[duckdb]" in problem.hint
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match=r"shop\.duckdb' does not exist") as caught:
        _open(tmp_path).query("SELECT 1 AS one", purpose="test")
    assert not caught.value.retryable


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.duckdb").write_bytes(content)
    with pytest.raises(ConnectorError, match=r"duckdb:shop\.duckdb"):
        _open(tmp_path).query("SELECT * FROM t", purpose="test")


def test_settings_that_change_meaning_are_applied_others_tolerated(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT 7 AS id")
    warehouse = _open(
        tmp_path,
        settings={"integer_division": True, "s3_region": "eu"},
        config_options={"allow_unsigned_extensions": True},
        extensions=["httpfs"],
        secrets=[{"type": "s3"}],
    )
    assert warehouse.query("SELECT id / 2 AS half FROM t", purpose="test").scalar() == 3


def test_statements_larger_than_memory_spill_beside_the_copies(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT range AS i FROM range(3000000)")
    warehouse = _open(tmp_path, settings={"memory_limit": "50MB", "threads": 1})
    sql = "SELECT count(*) AS n FROM (SELECT i, row_number() OVER (ORDER BY hash(i)) AS r FROM t)"
    assert warehouse.query(f"{sql} WHERE r % 2 = 0", purpose="test").scalar() == 1_500_000
    warehouse.close()
    assert [entry.name[:5] for entry in (tmp_path / "snapshots").iterdir()] == ["shop-"]


def test_a_slow_statement_is_interrupted(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT range AS i FROM range(1000000)")
    config = WarehouseConfig(statement_seconds=0.3)
    warehouse = DuckDBWarehouse(tmp_path / "shop.duckdb", config=config)
    with pytest.raises(ConnectorError, match=r"interrupted after 0\.3 s"):
        warehouse.query(
            "SELECT sum(a.i * b.i) AS s FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c",
            purpose="test",
        )
    assert warehouse.query("SELECT count(*) AS n FROM t", purpose="test").scalar() == 1_000_000


def test_views_over_files_only_when_allowed(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    _load(
        tmp_path / "shop.duckdb",
        f"CREATE VIEW v AS SELECT * FROM read_csv('{tmp_path / 'x.csv'}')",
    )
    strict = DuckDBWarehouse(tmp_path / "shop.duckdb")
    with pytest.raises(ConnectorError, match="outside the database") as caught:
        strict.query("SELECT a FROM v", purpose="test")
    assert "allow_external" in caught.value.hint
    lenient = DuckDBWarehouse(tmp_path / "shop.duckdb", config=WarehouseConfig(allow_external=True))
    assert lenient.query("SELECT a FROM v", purpose="test").scalar() == 1


def test_values_outside_pythons_calendar(tmp_path: Path) -> None:
    _load(
        tmp_path / "shop.duckdb",
        """CREATE TABLE t AS SELECT DATE '12024-01-01' AS far, DATE '9999-12-31' AS last,
           TIMESTAMPTZ '12024-01-01 00:00:00+00' AS far_moment,
           TIMESTAMPTZ '2024-01-01 00:00:00+00' AS moment""",
    )
    found = _open(tmp_path).query("SELECT * FROM t", purpose="test")
    assert found.rows == (
        (
            "12024-01-01",
            date(9999, 12, 31),
            "12024-01-01 00:00:00",
            datetime(2024, 1, 1, tzinfo=UTC),
        ),
    )


def test_time_zones_need_no_further_package(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["pytz"] = None
from pathlib import Path
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
warehouse = DuckDBWarehouse(Path({str(tmp_path / "shop.duckdb")!r}))
print(warehouse.query("SELECT * FROM t", purpose="test").scalar().isoformat())
"""
    _load(
        tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT TIMESTAMPTZ '2024-01-01 02:00+02' AS m"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2024-01-01T00:00:00+00:00\n"


@pytest.mark.parametrize(
    ("name", "catalog"),
    [("shop.duckdb", "shop"), ("my.db.duckdb", "my"), (".hidden.duckdb", "hidden"), ("a b", "a b")],
)
def test_catalog_names_follow_duckdb(tmp_path: Path, name: str, catalog: str) -> None:
    assert catalog_of(Path(name)) == catalog
    with duckdb.connect(str(tmp_path / name)) as connection:
        assert connection.execute("SELECT current_database()").fetchall() == [(catalog,)]


def test_a_file_named_like_duckdbs_own_catalog(tmp_path: Path) -> None:
    _load(tmp_path / "memory.duckdb", "CREATE TABLE t AS SELECT 1 AS id")
    warehouse = _open(tmp_path, path="memory.duckdb")
    assert warehouse.query("SELECT id FROM memory.main.t", purpose="test").scalar() == 1


def test_a_schema_tells_keys_defaults_collations_and_comments(tmp_path: Path) -> None:
    _load(
        tmp_path / "shop.duckdb",
        """
        CREATE TABLE t (id INTEGER, "a ""b" VARCHAR COLLATE NOCASE DEFAULT 'x',
                        s STRUCT(a INTEGER[], b MAP(VARCHAR, DECIMAL(9, 2))), j JSON,
                        e ENUM('a', 'b'), b VARCHAR,
                        PRIMARY KEY (id, b));
        COMMENT ON TABLE t IS 'of t'; COMMENT ON COLUMN t.id IS 'key';
        CREATE VIEW v AS SELECT id FROM t; COMMENT ON VIEW v IS 'of v';
        """,
    )
    table, view = Relation(name="t"), Relation(name="v")
    found = _open(tmp_path).schemas([table, view])
    columns = [
        (c.name, c.type, c.default, c.primary_key, c.collation, c.comment)
        for c in found[table].columns
    ]
    assert columns == [
        ("id", "INTEGER", None, True, None, "key"),
        ('a "b', "VARCHAR", "'x'", False, "NOCASE", ""),
        ("s", "STRUCT(a INTEGER[], b MAP(VARCHAR, DECIMAL(9,2)))", None, False, None, ""),
        ("j", "JSON", None, False, None, ""),
        ("e", "ENUM('a', 'b')", None, False, None, ""),
        ("b", "VARCHAR", None, True, None, ""),
    ]
    assert (found[table].comment, found[view].comment) == ("of t", "of v")


def test_nested_values_arrive_and_stream_as_text(tmp_path: Path) -> None:
    _load(
        tmp_path / "shop.duckdb",
        """CREATE TABLE n AS SELECT [1, 2] AS list, {'a': 'x'} AS struct, MAP {'k': 1} AS map,
        '6b6d3c1e-0000-4000-8000-000000000001'::UUID AS uuid, INTERVAL 1 MONTH AS span,
        '101'::BIT AS bits, 'a'::ENUM('a', 'b') AS choice, 2::UHUGEINT AS huge""",
    )
    warehouse = _open(tmp_path)
    expected = ("[1, 2]", "{'a': x}", "{k=1}", "6b6d3c1e-0000-4000-8000-000000000001", "1 month")
    found = warehouse.query("SELECT * FROM n", purpose="test")
    assert found.rows == ((*expected, "101", "a", 2),)
    with warehouse.batches("SELECT * FROM n", purpose="test") as reader:
        table = reader.read_all()
    assert {str(type_) for type_ in table.schema.types} == {"string"}
    assert tuple(column[0].as_py() for column in table.columns) == (*expected, "101", "a", "2")


def test_order_survives_the_wrapping_of_nested_values(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT range AS id FROM range(3)")
    sql = "SELECT id, [id] AS l FROM t ORDER BY id DESC"
    rows = _open(tmp_path).query(sql, purpose="test").rows
    assert rows == ((2, "[2]"), (1, "[1]"), (0, "[0]"))


def test_a_broken_view_is_an_error_not_a_crash(tmp_path: Path) -> None:
    _load(
        tmp_path / "shop.duckdb",
        "CREATE TABLE gone (id INTEGER); CREATE VIEW broken AS SELECT id FROM gone;"
        "DROP TABLE gone; CREATE TABLE orders (id INTEGER)",
    )
    warehouse, orders = _open(tmp_path), Relation(name="orders")
    with pytest.raises(ConnectorError, match="gone"):
        warehouse.query("SELECT * FROM broken", purpose="test")
    assert orders in warehouse.schemas([Relation(name="broken"), orders])


def test_a_stream_that_fails_halfway_says_so(tmp_path: Path) -> None:
    _load(tmp_path / "shop.duckdb", "CREATE TABLE t AS SELECT range AS id FROM range(300000)")
    sql = "SELECT CAST(CASE WHEN id > 250000 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM t"
    with (
        _open(tmp_path).batches(sql, purpose="test") as reader,
        pytest.raises(ConnectorError, match="Could not convert string 'x'"),
    ):
        reader.read_all()
