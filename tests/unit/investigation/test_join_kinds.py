"""Kinds of joins are read from model text, Jinja and all."""

from __future__ import annotations

import pytest

from dagster_agent.investigation.clues.join_history import join_kinds


@pytest.mark.parametrize(
    ("text", "joined", "kinds"),
    [
        ("from a left join planes on true", "planes", ("left",)),
        ("from a\nLEFT OUTER JOIN planes p using (id)", "planes", ("left",)),
        ("from a inner join planes on true", "planes", ("inner",)),
        ("from a join planes on true join planes as q on true", "planes", ("inner", "inner")),
        ("from a full outer join planes", "planes", ("full",)),
        ("from a left join {{ ref('stg_planes') }} p", "{{ ref('stg_planes') }}", ("left",)),
        ("from a left join {{ref('stg_planes')}} p", "{{ ref('stg_planes') }}", ("left",)),
        ("from a left join planes_old p", "planes", ()),
        ("from a left join planes.tails p", "planes", ()),
        ("select adjoin planes", "planes", ()),
    ],
)
def test_join_kinds(text: str, joined: str, kinds: tuple[str, ...]) -> None:
    assert join_kinds(text, joined) == kinds
