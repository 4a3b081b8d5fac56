"""What may be wrong with what is compared, and what the checks must say of it.

This file is long because it is one table of cases.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.integration.broken_shop import ORDERS, Case

WIDE = ", ".join(f"i + {n} as c{n}" for n in range(1_998))
EVERY = {"pagination": {"kind": "page", "size": 5}}
KEYED: Mapping[str, Any] = {"key": "id", "columns": ["amount"]}


def values(*rows: str) -> str:
    """SQL of a table `id, amount` with these values."""
    return " union all ".join(
        f"select {n} as id, {row} as amount" for n, row in enumerate(rows, start=1)
    )


def api(name: str, status: str, says: str, **request: Any) -> tuple[str, Case]:
    return name, Case(status=status, says=says, source={"api": {**EVERY, **request}})


def file(kind: str, name: str, status: str, says: str, **more: Any) -> tuple[str, Case]:
    return f"{kind}_{name}", Case(
        status=status, says=says, source={kind: f"{kind}_{name}.{kind}"}, **more
    )


def mixed_clocks() -> Iterator[Mapping[str, Any]]:
    yield {"id": 0, "amount": datetime(2026, 11, 1, 10, tzinfo=UTC).replace(tzinfo=None)}
    yield {"id": 1, "amount": datetime(2026, 11, 1, 10, tzinfo=UTC)}


def numbers(last: str) -> Iterator[Mapping[str, Any]]:
    for n, text in enumerate(["1", "-0.0", last], start=1):
        yield {"id": n, "amount": Decimal(text)}


def source_of(function: str, **arguments: Any) -> Mapping[str, Any]:
    return {"callable": f"tests.integration.bad_input_cases:{function}", "arguments": arguments}


CASES: dict[str, Case] = {
    # controls: without them a check that is always red would do
    "same": Case(theirs=ORDERS, status="passed", says="the same 12 keys", entry=KEYED),
    "same_across": Case(
        post="select i as id, i * 2 as amount from generate_series(0, 11) i",
        status="passed",
        says="the same 12 keys",
        entry=KEYED,
    ),
    # what is not there
    "no_table": Case(
        source="main.nowhere", status="failed", says="main.nowhere.* does not exist in duckdb"
    ),
    "no_table_across": Case(
        source={"target": "ledger", "table": "public.nowhere"},
        status="failed",
        says="public.nowhere.* does not exist in postgres",
    ),
    "not_built": Case(
        ours=None,
        theirs=ORDERS,
        status="failed",
        says="not_built does not exist",
        meta={"freshness": {"column": "amount"}, "invariants": ["amount is never null"]},
    ),
    "no_key": Case(
        meta={
            "freshness": {"column": "ghost"},
            "invariants": ["ghost is never null"],
            "profiling": {"segments": ["ghost"]},
        },
        theirs="select 1 as number, 2 as amount",
        status="could-not-run",
        says="their_no_key|truth has no column 'id'",
    ),
    "no_column": Case(
        theirs="select i as id from range(12) t(i)",
        entry=KEYED,
        status="could-not-run",
        says="truth has no column 'amount'",
    ),
    "no_permission": Case(
        source={"target": "stranger", "table": "public.their_same_across"},
        status="could-not-run",
        says="permission denied|not shown|may not",
    ),
    "no_server": Case(
        source={"target": "nobody", "table": "public.x"},
        status="could-not-run",
        says="was not compared",
    ),
    # types
    "type_of_key": Case(
        theirs="select timestamp '2026-11-01' + interval (i) hour as id, 1 as amount"
        " from range(12) t(i)",
        status="could-not-run",
        says="'id' cannot be compared: it is BIGINT in .* and TIMESTAMP",
    ),
    "type_of_column": Case(
        theirs="select i as id, [i * 2] as amount from range(12) t(i)",
        entry=KEYED,
        status="could-not-run",
        says="'amount' cannot be compared",
    ),
    "type_across": Case(
        post="select i as id, jsonb_build_object('a', i) as amount from generate_series(0, 11) i",
        entry=KEYED,
        status="could-not-run",
        says="'amount' cannot be compared",
    ),
    # an API
    **dict(
        [
            api("api_whole", "passed", "the same 12 keys"),
            api("api_dies", "could-not-run", "page 2 .* answered 500"),
            api("api_hangs", "could-not-run", "page 2 .* did not come"),
            api("api_cut", "could-not-run", "page 2 .* is no JSON"),
            api("api_repeats", "could-not-run", "page 2 .* repeats page 1"),
            api("api_overlaps", "failed", "1 key that truth lacks; truth has 1 duplicated key"),
            api("api_skips", "failed", "api_skips has 5 keys that truth lacks"),
            api("api_skips_told", "could-not-run", "12 records and gave 7", total="total"),
        ]
    ),
    # files
    **dict(
        [
            file("csv", "short", "could-not-run", "line 3 has 1 instead of 2 values"),
            file("csv", "long", "could-not-run", "line 3 has 3 instead of 2 values"),
            file("csv", "header", "failed", "truth is empty, csv_header has 12 rows"),
            file(
                "csv",
                "header_metric",
                "failed",
                "differs from truth: 132 more in all",
                entry={"metric": {"ours": "sum(amount)", "theirs": "sum(amount)"}},
            ),
            file("csv", "gone", "could-not-run", "no file matches"),
            file("csv", "zones", "could-not-run", "amount has a time zone in 1 values"),
            file("csv", "grows", "could-not-run", "changed while it was read"),
            file("json", "none", "could-not-run", "holds 0 records"),
            file("json", "cut", "could-not-run", "Malformed JSON"),
            file(
                "json",
                "wide",
                "failed",
                "1 key with other values",
                ours="select i as id, i + 7 as c7, i + 1997 as c1997 from range(3) t(i)",
                entry={"key": "id", "columns": ["c7", "c1997"]},
            ),
        ]
    ),
    # clocks
    "clock_same": Case(
        meta={"freshness": {"column": "amount"}},
        ours="select i as id, timestamp '2026-11-01 10:00:00' as amount from range(3) t(i)",
        theirs="select i as id, timestamptz '2026-11-01 12:00:00+02' as amount from range(3) t(i)",
        entry=KEYED,
        status="passed",
        says="the same 3 keys",
    ),
    "clock_local": Case(
        ours="select i as id, timestamp '2026-11-01 10:00:00' as amount from range(3) t(i)",
        post="select i as id, timestamptz '2026-11-01 10:00:00+02' as amount"
        " from generate_series(0, 2) i",
        entry=KEYED,
        status="failed",
        says="3 keys with other values",
    ),
    "clock_mixed": Case(
        source=source_of("mixed_clocks"),
        entry=KEYED,
        status="could-not-run",
        says="record 2 .*which moment is meant",
    ),
    # numbers
    "number_nan": Case(
        source=source_of("numbers", last="NaN"),
        entry=KEYED,
        status="could-not-run",
        says="record 3 .*no number",
    ),
    "number_overflow": Case(
        ours=values(*["99999999999999999999999999999999999999::decimal(38, 0)"] * 3),
        theirs=values(
            *["99999999999999999999999999999999999999::decimal(38, 0)"] * 2,
            "99999999999999999999999999999999999998::decimal(38, 0)",
        ),
        entry={"key": "id", "measures": ["amount"]},
        status="could-not-run",
        says="[Oo]verflow",
    ),
    "number_overflow_across": Case(
        ours=values("1::decimal(38, 10)", "2"),
        post=values("1::numeric(60, 10)", f"{10**40}"),
        entry=KEYED,
        status="failed",
        says="1 key with other values",
    ),
    "number_hidden": Case(
        ours=values("'nan'::double", "1", "5", "9"),
        theirs=values("'nan'::double", "1", "6", "9"),
        entry={"measures": ["amount"]},
        status="failed",
        says=r"sum\(amount\) is 15 in number_hidden and 16 in truth",
    ),
    "number_infinite": Case(
        ours=values("'inf'::double", "1", "5", "'-inf'::double"),
        theirs=values("'inf'::double", "1", "6", "'-inf'::double"),
        entry={"measures": ["amount"]},
        status="failed",
        says=r"sum\(amount\) is 6 in number_infinite and 7 in truth",
    ),
    "metric_hidden": Case(
        ours=values("'nan'::double", "5"),
        theirs=values("'nan'::double", "6"),
        entry={"metric": {"ours": "sum(amount)", "theirs": "sum(amount)"}},
        status="could-not-run",
        says="is NaN or infinite on both sides",
    ),
    "number_kinds": Case(
        meta={
            "freshness": {"column": "amount"},
            "invariants": ["amount is always between 0 and 9", "amount is never negative"],
        },
        ours=values("'nan'::double", "'inf'::double", "-0.0::double", "null", "2"),
        theirs=values("null::double", "'-inf'::double", "0.0::double", "'nan'::double", "2"),
        entry=KEYED,
        status="failed",
        says="3 keys with other values",
    ),
    "number_kinds_across": Case(
        ours=values("'nan'::double", "'inf'::double", "-0.0::double", "null", "2"),
        post=values(
            "null::double precision",
            "'-infinity'::double precision",
            "0.0::double precision",
            "'nan'::double precision",
            "2::double precision",
        ),
        entry=KEYED,
        status="failed",
        says="3 keys with other values",
    ),
    # texts
    "text_same": Case(
        ours=values("'ab'", "'𝄞é'", "''", "null"),
        post=values("'ab'::char(5)", "'𝄞é'", "''", "null"),
        entry=KEYED,
        status="passed",
        says="the same 4 keys",
    ),
    "text_other": Case(
        meta={
            "freshness": {"column": "amount"},
            "invariants": ["amount is always between 0 and 9"],
        },
        ours=values("''", "null", "'a'", "'𝄞'", "'b'"),
        theirs=values("null", "''", "'a '", "'𝄢'", "'b'"),
        entry=KEYED,
        status="failed",
        says="4 keys with other values",
    ),
    "text_key": Case(
        ours="select * from (values ('', 1), (null, 2), ('𝄞', 3), ('a', 4)) t(id, amount)",
        post="select * from (values ('', 1), (null, 2), ('𝄢', 3), ('a ', 4)) t(id, amount)",
        entry=KEYED,
        status="failed",
        says="lacks 2 of 3 keys of truth; has 2 keys that truth lacks; has 1 row without a key",
    ),
    # size
    "wide": Case(
        ours=f"select i as id, {WIDE} from range(3) t(i)",
        theirs="select * replace (c1997 + (id = 2)::int as c1997) from raw_wide",
        entry={"key": "id", "columns": ["c7", "c1997"]},
        status="failed",
        says="1 key with other values",
    ),
    "none_here": Case(
        meta={
            "freshness": {"column": "cast(id as timestamp)"},
            "invariants": ["amount is never null"],
        },
        ours=f"{ORDERS} limit 0",
        theirs=ORDERS,
        status="failed",
        says="none_here is empty",
    ),
    "none_there": Case(
        theirs=f"{ORDERS} limit 0", status="failed", says="truth is empty, none_there has 12 rows"
    ),
    "none_at_all": Case(
        ours=f"{ORDERS} limit 0",
        theirs=f"{ORDERS} limit 0",
        status="failed",
        says="none_at_all and truth have 0 rows each",
    ),
}
UNTRAINED = ("untrained", "first snapshot|untrained")
OTHERS: dict[tuple[str, str], tuple[str, str]] = {
    **{
        ("not_built", engine): ("could-not-run", "not_built does not exist|no table .*not_built")
        for engine in ("anomaly", "schema_drift", "freshness", "quality")
    },
    ("no_key", "anomaly"): ("could-not-run", "there is no column 'ghost'"),
    ("no_key", "freshness"): ("could-not-run", "'ghost' is no column of it"),
    ("no_key", "quality"): ("could-not-run", "no_key has no column 'ghost'"),
    ("number_kinds", "anomaly"): UNTRAINED,
    ("number_kinds", "schema_drift"): UNTRAINED,
    ("number_kinds", "freshness"): ("could-not-run", "is DOUBLE: it holds no moments"),
    ("number_kinds", "quality"): (
        "failed",
        "(?s)(?=.*between 0 and 9: violated by 2 of 5)(?=.*never negative: violated by 1 of 5)",
    ),
    ("text_other", "anomaly"): UNTRAINED,
    ("text_other", "freshness"): ("could-not-run", "invalid timestamp"),
    ("text_other", "quality"): (
        "failed",
        "(?s)(?=.*4 of 5 rows break `agrees with truth`)"
        "(?=.*Cannot compare values of type VARCHAR)",
    ),
    ("clock_same", "freshness"): ("failed", "the newest row is .* last rows 2026-11-01 10:00 UTC"),
    ("none_here", "anomaly"): UNTRAINED,
    ("none_here", "freshness"): ("failed", "none_here is empty: it has no age"),
    ("none_here", "quality"): (
        "failed",
        "(?s)(?=.*12 of 12 rows break `agrees with truth`)(?=.*there are no rows to judge by)",
    ),
    ("wide", "schema_drift"): ("untrained", "1999 columns, taken as right"),
}
"""What other checks of some cases say: status and regular expression."""
FILES = {
    "csv_short.csv": "id,amount\n0,0\n1\n",
    "csv_long.csv": "id,amount\n0,0\n1,2,3\n",
    "csv_header.csv": "id,amount\n",
    "csv_header_metric.csv": "id,amount\n",
    "csv_zones.csv": "id,amount\n0,2026-11-01 10:00:00\n1,2026-11-01 10:00:00+02\n",
    "json_none.json": "[]",
    "json_cut.json": '[{"id": 0, "amount": 0}, {"id": 1',
}
