"""Fixers: each proposes the smallest change, or says why it cannot."""

from __future__ import annotations

import pytest

from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixers

RAW = (
    "\nselect * from {{ ref('a') }} a\nINNER JOIN {{ source('raw', 'planes') }} p ON a.id = p.id\n"
)
SQL = 'select * from "d"."s"."a" a\nINNER JOIN "d"."raw"."planes" p ON a.id = p.id'


def fault(**changes: object) -> Fault:
    fields: dict[str, object] = {
        "asset": "model.shop.stg_flights",
        "path": "models/stg_flights.sql",
        "text": RAW,
        "compiled_code": SQL,
        "dialect": "duckdb",
        "join_ordinal": 0,
        **changes,
    }
    return Fault(**fields)  # type: ignore[arg-type]


def test_every_fixer_has_an_id_and_documentation():
    assert "left-join" in fixers().members()
    for member in fixers():
        assert "Not this fixer" in member.description


def test_left_join_changes_one_word():
    change = fixers().get("left-join").propose(fault())

    assert isinstance(change, ProposedChange)
    assert change.title == "Restore the left join to planes in stg_flights"
    assert "line 3 of models/stg_flights.sql" in change.rationale
    assert change.assets == ("model.shop.stg_flights",)
    (edit,) = change.edits
    assert edit.before == RAW
    assert edit.after == RAW.replace("INNER", "LEFT")
    assert [line for line in change.diff().splitlines() if line[:1] in "+-"][2:] == [
        "-INNER JOIN {{ source('raw', 'planes') }} p ON a.id = p.id",
        "+LEFT JOIN {{ source('raw', 'planes') }} p ON a.id = p.id",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"join_ordinal": None}, "no join is known"),
        ({"join_ordinal": 7}, "no join number 8"),
        ({"text": "select 1"}, "made by a macro"),
        ({"path": "dbt_packages/p/models/m.sql"}, "installed package"),
    ],
)
def test_left_join_says_why_it_cannot(changes, reason):
    refused = fixers().get("left-join").propose(fault(**changes))
    assert isinstance(refused, NoEdit)
    assert reason in refused.reason
