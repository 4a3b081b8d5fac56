"""This file is long because each test holds the whole small table whose numbers it states.

A table in numbers: right ones, of every kind of column, and no text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.anomaly.profiling.budget import Cost
from dagster_agent.anomaly.profiling.measure import Known, profile_table
from dagster_agent.anomaly.profiling.points import metric_points
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import Distribution, Relation, ResultTable, TableProfile

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = ProfilingConfig(max_categories=0)


class _Counted(DuckDBWarehouse):
    """Remembers the statements."""

    statements: tuple[str, ...] = ()

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        self.statements += (sql,)
        return super().query(sql, purpose=purpose, max_rows=max_rows)


def _profile(
    directory: Path,
    sql: str,
    name: str = "t",
    *,
    config: ProfilingConfig = PLAIN,
    known: Known | None = None,
) -> tuple[TableProfile, _Counted]:
    with duckdb.connect(str(directory / "shop.duckdb")) as connection:
        connection.execute(sql)
    warehouse = _Counted(directory / "shop.duckdb")
    relation = Relation(name=name)
    schema = warehouse.schemas([relation])[relation]
    profile = profile_table(schema.relation, schema, warehouse, NOW, config=config, known=known)
    return profile, warehouse


def test_distinct_values_of_a_small_table_are_counted_and_not_estimated(tmp_path: Path) -> None:
    for rows in (999, 3911, 7777):
        profile, _ = _profile(
            tmp_path, f"CREATE OR REPLACE TABLE t AS SELECT hash(i) AS id FROM range({rows}) r(i)"
        )
        assert profile.columns[0].distinct_estimate == rows
    profile, _ = _profile(
        tmp_path,
        "CREATE OR REPLACE TABLE t AS SELECT hash(i) AS id FROM range(7777) r(i)",
        config=PLAIN.model_copy(update={"sample_rows": 1000}),
    )
    assert profile.columns[0].distinct_estimate == pytest.approx(7777, rel=0.1)


def test_numbers_of_every_kind_of_column(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE t (id INTEGER, amount DECIMAL(10, 2), ratio DOUBLE, note VARCHAR,
                           day DATE, paid BOOLEAN, list INTEGER[], ssn BIGINT, span INTERVAL);
           INSERT INTO t VALUES
             (0, 1.50, 0.5, 'secret', '2026-01-01', true, [1], 123, INTERVAL 1 DAY),
             (2, NULL, 'inf', NULL, NULL, NULL, NULL, 456, NULL),
             (3, 2.50, 'nan', '', '2026-01-01', false, [1], NULL, NULL),
             (5, 2.00, -0.0, 'secret', '2026-01-01', false, [1], NULL, NULL)""",
    )
    assert profile.row_count == 4
    found = {c.name: c for c in profile.columns}
    amount = found["amount"]
    assert (amount.null_count, amount.minimum, amount.maximum) == (1, 1.5, 2.5)
    assert (amount.sum, amount.mean, amount.stddev, amount.distinct_estimate) == (6.0, 2.0, 0.5, 3)
    assert amount.quantiles["q50"] == 2.0
    ratio = found["ratio"]
    assert (ratio.sum, ratio.mean, ratio.maximum, ratio.minimum) == (0.5, 0.25, 0.5, 0.0)
    assert (ratio.not_finite_count, ratio.zero_count, ratio.null_count) == (2, 1, 0)
    note = found["note"]
    assert (note.null_count, note.empty_count, note.length, note.sum) == (1, 1, 4.0, None)
    assert (found["paid"].true_count, found["paid"].null_count) == (1, 1)
    ssn = found["ssn"]
    assert (ssn.minimum, ssn.maximum, ssn.quantiles, ssn.null_count) == (None, None, {}, 2)
    assert (found["id"].zero_count, found["day"].distinct_estimate) == (1, 1)
    assert (found["span"].sum, found["list"].null_count) == (None, 1)
    assert "secret" not in repr(profile)


def test_metrics_are_named_as_the_detectors_know_them(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE t AS SELECT i AS id, i % 2 = 0 AS even, CASE WHEN i < 3 THEN 'open' END
           AS status FROM range(10) r(i)""",
        config=ProfilingConfig(),
        known=Known(key=("id",)),
    )
    metrics = profile.metrics()
    expected = {
        "row_count": 10, "null_share.id": 0, "zero_share.id": 0.1, "distinct_share.id": 1,
        "duplicate_share.id": 0, "min.id": 0, "max.id": 9, "mean.id": 4.5, "sum.id": 45,
        "q50.id": 4.5, "true_share.even": 0.5, "null_share.status": 0.7, "empty_share.status": 0,
        "length.status": 4, "distinct.status": 1, "share.status=open": 1,
    }  # fmt: skip
    assert {name: metrics[name] for name in expected} == expected
    assert metrics["stddev.id"] == pytest.approx(3.02765)
    assert [(p.metric, p.at) for p in metric_points("m", profile)] == [
        (metric, NOW) for metric in sorted(metrics)
    ]


def test_an_empty_table(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path, "CREATE TABLE t (id INTEGER, note VARCHAR)", config=ProfilingConfig()
    )
    assert profile.row_count == 0
    assert profile.metrics()["row_count"] == 0.0
    assert (profile.columns[0].mean, profile.columns[0].sum) == (None, None)
    assert profile.distributions == ()


def test_nothing_but_null(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE t AS SELECT NULL::INTEGER AS n, NULL::VARCHAR AS v, NULL::BOOLEAN AS b,
           NULL::DOUBLE AS f FROM range(5)""",
        config=ProfilingConfig(),
    )
    metrics = profile.metrics()
    assert {metrics[f"null_share.{c}"] for c in "nvbf"} == {1.0}
    assert "mean.n" not in metrics
    assert profile.distributions == ()


def test_decimals_of_38_digits_and_huge_floats(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE t AS SELECT 99999999999999999999999999999999999999::DECIMAL(38, 0) AS d,
           1e300::DOUBLE AS f, 170141183460469231731687303715884105727::HUGEINT AS h
           FROM range(3)""",
    )
    d, f, h = profile.columns
    assert d.sum == pytest.approx(3e38)
    assert (f.not_finite_count, f.sum, f.stddev) == (3, None, None)
    assert h.maximum == pytest.approx(1.7014118346046923e38)


def test_odd_names(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        'CREATE TABLE "Größe ""x""" AS SELECT 1 AS "a ""b""", 2 AS "select", 3 AS "ä.ö"',
        name='Größe "x"',
    )
    assert [(c.name, c.sum) for c in profile.columns] == [
        ('a "b"', 1.0),
        ("select", 2.0),
        ("ä.ö", 3.0),
    ]


def test_a_table_of_two_thousand_columns(tmp_path: Path) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(2000))
    config = ProfilingConfig(max_categories=0, max_columns=10)
    profile, warehouse = _profile(tmp_path, f"CREATE TABLE t AS SELECT {columns}", config=config)
    assert len(profile.columns) == 2000
    assert profile.columns[9].sum == 9.0
    assert (profile.columns[10].sum, profile.columns[1999].null_count) == (None, 0)
    assert profile.notes == ("of 1990 columns only NULLs were counted: max_columns is 10",)
    assert len(warehouse.statements) < 12


def test_a_vanished_table_is_named(tmp_path: Path) -> None:
    _, warehouse = _profile(tmp_path, "CREATE TABLE t AS SELECT 1 AS id")
    relation = Relation(name="t")
    schema = warehouse.schemas([relation])[relation]
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("DROP TABLE t")
    with pytest.raises(ConnectorError, match="no such table"):
        profile_table(relation, schema, warehouse, NOW)


def test_values_of_people_are_told_as_hashes(tmp_path: Path) -> None:
    profile, warehouse = _profile(
        tmp_path,
        """CREATE TABLE t AS SELECT CASE i % 2 WHEN 0 THEN 'Ann' ELSE 'Bob' END AS first_name,
           CASE i % 2 WHEN 0 THEN 'paid' ELSE 'bob@example.com' END AS status,
           CASE i % 3 WHEN 0 THEN 'alpha' ELSE 'beta' END AS codeword,
           CASE i % 3 WHEN 0 THEN 'x' ELSE 'y' END AS team
           FROM range(60) r(i)""",
        config=ProfilingConfig(),
        known=Known(personal=("TEAM",)),
    )
    found = {d.column: d for d in profile.distributions}
    told = {column: sorted(d.labels) for column, d in found.items()}
    assert all(label.startswith("#") and len(label) == 9 for label in told["first_name"])
    assert all(label.startswith("#") for label in told["team"] + told["codeword"])
    assert told["status"] == sorted(["paid", *[v for v in told["status"] if v.startswith("#")]])
    assert found["first_name"].counts == (30, 30)
    text = repr(profile)
    assert not any(word in text for word in ("Ann", "Bob", "bob@", "alpha"))
    assert "md5(" in warehouse.statements[1]


def test_histograms_keep_their_bins(tmp_path: Path) -> None:
    rows = "CREATE OR REPLACE TABLE t AS SELECT i * 1.5::DOUBLE AS amount FROM range({}) r(i)"
    first, warehouse = _profile(tmp_path, rows.format(1000))
    (before,) = first.distributions
    assert (before.kind, len(before.labels), before.labels[-1]) == ("numeric", 10, "inf")
    assert before.counts == (50, 100, 100, 150, 100, 100, 150, 100, 100, 50)
    assert len(warehouse.statements) == 2
    known = Known(distributions={"amount": before})
    second, warehouse = _profile(tmp_path, rows.format(500), known=known)
    (after,) = second.distributions
    assert (after.labels, after.counts) == (before.labels, (*before.counts[:5], *(0,) * 5))
    assert len(warehouse.statements) == 1


def test_a_value_at_an_edge_is_below_it_whatever_its_type(tmp_path: Path) -> None:
    edges = (-2.5, 0.0, 0.1, 0.30000000000000004, 7.0, 288.04999999999995, 1e20)
    values = (-9, -2.5, -1e-9, 0, 0.1, 0.3, 0.30000000000000004, 7, 288.05, 1e19, 1e20, 2e20, 2e20)
    labels = (*map(repr, edges), "inf")
    before = Distribution(column="", at=NOW, kind="numeric", labels=labels, counts=(1,) * 8)
    known = Known(distributions=dict.fromkeys(("real", "exact", "whole", "none"), before))
    floats = ", ".join(f"'{value!r}'::DOUBLE" for value in values)
    profile, _ = _profile(
        tmp_path,
        f"""CREATE TABLE t AS SELECT v AS real, TRY_CAST(v AS DECIMAL(38, 9)) AS exact,
            TRY_CAST(v AS HUGEINT) AS whole, NULL::DOUBLE AS none
            FROM (SELECT unnest([{floats}, 'nan', 'inf', '-inf', NULL]) AS v) u""",
        known=known,
    )
    found = {d.column: d.counts for d in profile.distributions}
    assert found.keys() == {"real", "exact", "whole"}
    assert found["real"] == (2, 2, 1, 2, 1, 0, 3, 2)
    assert sum(found["real"]) == len(values)
    assert found["exact"] == (2, 2, 1, 2, 1, 0, 3, 2)
    assert found["whole"] == (1, 6, 0, 0, 1, 1, 2, 2)


def test_categories_beyond_the_most_are_one(tmp_path: Path) -> None:
    known = Known(
        distributions={
            "n": Distribution(column="n", at=NOW, kind="category", labels=("1",), counts=(1.0,))
        }
    )
    profile, _ = _profile(
        tmp_path,
        "CREATE TABLE t AS SELECT i % 7 AS n FROM range(70) r(i)",
        config=ProfilingConfig(max_categories=8),
        known=known,
    )
    (found,) = profile.distributions
    assert (found.kind, found.labels) == ("category", ("0", "1", "2", "3", "4", "5", "6"))


def test_quantiles_of_a_large_table_come_from_a_sample(tmp_path: Path) -> None:
    profile, warehouse = _profile(
        tmp_path,
        "CREATE TABLE t AS SELECT i AS n FROM range(200000) r(i)",
        config=ProfilingConfig(max_categories=0, sample_rows=20_000),
    )
    (column,) = profile.columns
    assert (profile.scope, profile.row_count, column.maximum) == ("whole", 200_000, 199_999)
    assert column.quantiles["q50"] == pytest.approx(100_000, rel=0.05)
    assert "BERNOULLI (10 PERCENT)" in warehouse.statements[0]


def test_over_the_budget_a_sample_is_read_and_told(tmp_path: Path) -> None:
    profile, warehouse = _profile(
        tmp_path,
        "CREATE TABLE t AS SELECT i AS n, NULLIF(i % 4, 0) AS q FROM range(400000) r(i)",
        known=Known(cost=Cost(seconds=1200, rows=400_000), key=("n",)),
    )
    assert (profile.scope, profile.row_count) == ("sample", 400_000)
    assert profile.rows_read
    assert 0 < profile.rows_read < 100_000
    metrics = profile.metrics()
    assert metrics["row_count"] == 400_000
    assert metrics["null_share.q"] == pytest.approx(0.25, abs=0.01)
    assert not {"sum.n", "min.n", "max.n", "distinct.n", "distinct_share.n"} & set(metrics)
    assert profile.notes == (
        "a sample of 10.00%: read whole it took 1200 s, max_seconds is 120",
        "the number of rows is the catalogue's estimate",
        "a sample has no metrics of keys, patterns, segments and your own",
    )
    assert all("SYSTEM (10 PERCENT)" in sql for sql in warehouse.statements)


def test_without_any_budget_the_catalogue_is_asked(tmp_path: Path) -> None:
    profile, warehouse = _profile(
        tmp_path,
        "CREATE TABLE t AS SELECT i AS n FROM range(4000) r(i)",
        config=ProfilingConfig(max_bytes_per_profile=0),
    )
    assert (profile.scope, profile.columns, warehouse.statements) == ("facts", (), ())
    assert profile.metrics()["row_count"] == 4000
    assert profile.notes[0] == "max_bytes_per_profile is 0: no table is read"


def test_keys_patterns_segments_and_own_metrics(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE t AS SELECT least(i, 7) AS id, CASE WHEN i < 4 THEN 'DE' ELSE 'FR' END
           AS country, CASE i WHEN 0 THEN NULL WHEN 1 THEN 'x' ELSE 'A-' || i END AS code
           FROM range(10) r(i)""",
        config=ProfilingConfig(
            max_categories=0,
            segments=("country", "nothing"),
            patterns={"code": "[A-Z]-[0-9]"},
            custom_metrics={
                "per_country": "count(*) / count(DISTINCT country)",
                "biggest": "SELECT max(id) FROM t",
                "broken": "sum(nothing)",
                "wicked": "SELECT 1; DROP TABLE t",
            },
        ),
        known=Known(key=("ID", "country")),
    )
    found = profile.metrics()
    assert found["duplicate_share.id+country"] == 0.2
    assert found["match_share.code"] == pytest.approx(8 / 9)
    assert found["custom.per_country"] == 5
    assert found["custom.biggest"] == 7
    assert found["row_count{country=DE}"] == 4
    assert found["null_share.code{country=DE}"] == 0.25
    assert found["mean.id{country=DE}"] == 1.5
    assert sorted(profile.unmeasured) == ["custom.broken", "custom.wicked", "{nothing=...}"]
    assert profile.unmeasured["{nothing=...}"] == "there is no column 'nothing'"


def test_a_view_is_measured_as_a_table_is(tmp_path: Path) -> None:
    profile, _ = _profile(
        tmp_path,
        """CREATE TABLE raw AS SELECT i AS n FROM range(3000) r(i);
           CREATE VIEW t AS SELECT n * 2 AS n FROM raw""",
        config=ProfilingConfig(sample_rows=1000),
    )
    (column,) = profile.columns
    assert (profile.row_count, column.maximum, column.sum) == (3000, 5998, 8_997_000)
    assert column.quantiles["q50"] == pytest.approx(3000, rel=0.2)
    with pytest.raises(ConfigError, match="does not know its rows without reading it"):
        _profile(
            tmp_path,
            "CREATE OR REPLACE VIEW t AS SELECT n FROM raw",
            config=ProfilingConfig(max_bytes_per_profile=0),
        )
