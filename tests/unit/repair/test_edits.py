"""Edits of one join: the right one, only it, or none with a reason."""

from __future__ import annotations

import jinja2
import pytest
import sqlglot
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlglot.tokenizer_core import TokenType

from dagster_agent.repair.edits import JoinEdit, NoEdit, find_join, restore_left_join


def compiled(raw: str, **variables: object) -> str:
    """As dbt would render it."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], keep_trailing_newline=True)  # noqa: S701
    names = {
        "ref": lambda name: f'"shop"."main"."{name}"',
        "source": lambda schema, name: f'"shop"."{schema}"."{name}"',
        "config": lambda **_: "",
        "lookup": lambda name: f'inner join "shop"."main"."{name}" as {name} on {name}.id = a.id',
        **variables,
    }
    return environment.from_string(raw).render(names)


def edited(raw: str, ordinal: int = 0, *, sql: str | None = None, **variables: object) -> str:
    edit = restore_left_join(
        raw, compiled_code=sql or compiled(raw, **variables), dialect="duckdb", ordinal=ordinal
    )
    assert isinstance(edit, JoinEdit), edit
    return edit.text


def refusal(raw: str, ordinal: int = 0, *, sql: str | None = None, **variables: object) -> str:
    edit = restore_left_join(
        raw, compiled_code=sql or compiled(raw, **variables), dialect="duckdb", ordinal=ordinal
    )
    assert isinstance(edit, NoEdit), edit
    return edit.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("inner join", "left join"),
        ("INNER JOIN", "LEFT JOIN"),
        ("Inner Join", "Left Join"),
        ("inner\n\t  join", "left\n\t  join"),
        ("inner /* why */ join", "left /* why */ join"),
        ("join", "left join"),
        ("JOIN", "LEFT JOIN"),
        ("Join", "Left Join"),
        ("inner join lateral", "left join lateral"),
    ],
)
def test_case_and_space_are_kept(before, after):
    raw = (
        "select * from {{ ref('a') }} as a\r\n%s {{ ref('b') }} as b on a.id = b.id  -- end\r\n\r\n"
    )
    assert edited(raw % before) == raw % after


def test_only_the_join_asked_for_changes_and_its_place_is_told():
    raw = (
        "select *\n"
        "from {{ ref('a') }} a\n"
        "  inner join {{ ref('ä') }} b using (id)\n"
        "left join c on c.id = a.id, d\n"
        "cross join e\n"
        "  join {{ source('raw', 'f') }} f on f.id = a.id and f.x = 'inner join'\n"
        "where true"
    )
    edit = restore_left_join(raw, compiled_code=compiled(raw), dialect="duckdb", ordinal=3)
    assert isinstance(edit, JoinEdit)
    assert edit.text == raw.replace("  join {{ source", "  left join {{ source")
    assert (edit.join.line, edit.join.column) == (6, 3)
    assert (edit.join.kind, edit.join.joined) == ("", "{{ source('raw', 'f') }}")

    first = find_join(raw, compiled_code=compiled(raw), dialect="duckdb", ordinal=0)
    assert not isinstance(first, NoEdit)
    assert (first.kind, first.joined, first.line, first.column) == ("inner", "{{ ref('ä') }}", 3, 3)


def test_joins_in_comments_strings_and_jinja_do_not_count():
    raw = (
        "{{ config(alias='inner join x on y') }}\n"
        "{# inner join b on don't #}\n"
        "-- inner join b on a.id = b.id; don't\n"
        "/* join b on 1 */ select 'it''s a join b', \"inner join\" from a\n"
        "{%- set note = 'inner join {{ b }}' %}\n"
        "{% raw %}-- {{ join }}{% endraw %}\n"
        "inner join b on a.id = b.id\n"
    )
    head, tail = raw.rsplit("inner", 1)
    assert edited(raw) == f"{head}left{tail}"


def test_a_comment_that_jinja_lengthens_swallows_the_join():
    # the newline before the join is cut away, so the first join is part of the comment
    raw = (
        "select * from a -- x {%- if true -%}\n join b on a.id = b.id {% endif %}\n"
        "join c on a.id = c.id"
    )
    assert edited(raw) == raw.replace("join c", "left join c")


def test_a_branch_that_is_not_taken_is_left_alone():
    raw = (
        "select * from a\n"
        "{% if old %} inner join b on a.id = b.id\n"
        "{% else %} inner join b2 on a.id = b2.id {% endif %}\n"
        "inner join c on a.id = c.id"
    )
    assert edited(raw, old=False) == raw.replace("inner join b2", "left join b2")
    assert edited(raw, old=True) == raw.replace("inner join b on", "left join b on")
    assert edited(raw, 1, old=True) == raw.replace("inner join c", "left join c")


def test_an_ephemeral_model_in_front_does_not_shift_the_count():
    raw = "select * from {{ ref('a') }} a join {{ ref('b') }} b on a.id = b.id"
    sql = "with __dbt__cte__a as (select * from x join y on x.id = y.id) " + compiled(raw)
    assert edited(raw, 1, sql=sql) == raw.replace("join", "left join", 1)
    assert "made by a macro" in refusal(raw, 0, sql=sql)


def test_a_join_that_a_macro_writes_is_refused():
    raw = "select * from a {{ lookup('b') }}\ninner join c on a.id = c.id"
    assert "made by a macro" in refusal(raw, 0)
    assert edited(raw, 1) == raw.replace("inner join c", "left join c")


def test_a_kind_that_jinja_writes_is_refused():
    raw = "select * from a {{ kind }} join b on a.id = b.id"
    assert "reads differently" in refusal(raw, kind="inner")


def test_a_join_that_a_loop_repeats_is_refused():
    raw = (
        "select * from a\n"
        "{% for t in ['b', 'c'] %} inner join {{ t }} on a.id = {{ t }}.id {% endfor %}"
    )
    assert "cannot be told apart" in refusal(raw, 0)


def test_joins_that_read_alike_are_told_apart_by_their_order():
    part = "(select * from a inner join b on a.id = b.id)"
    raw = f"with x as {part}, y as {part} select * from x {{{{ lookup('c') }}}} cross join y"
    assert edited(raw, 1) == "left join".join(raw.rsplit("inner join", 1))
    assert edited(raw, 0) == raw.replace("inner join", "left join", 1)


def test_expressions_inside_the_clause_stand_for_anything():
    raw = (
        "select * from {{ ref('a') }} as a\n"
        "join stg_{{ name }} as s on {{ condition }} and s.day >= '{{ day }}'\n"
        "join {{ ref('b') }}.{{ part }} on true"
    )
    variables = {"name": "x", "condition": "a.id = s.id and (a.n = 1)", "day": "2026", "part": "p"}
    assert edited(raw, 0, **variables) == raw.replace("join stg", "left join stg")
    assert edited(raw, 1, **variables) == raw.replace("join {{ ref('b')", "left join {{ ref('b')")


def test_a_joined_subquery_keeps_its_own_joins():
    raw = (
        "select * from a inner join (select * from b inner join c on b.id = c.id) d on a.id = d.id"
    )
    assert edited(raw, 0) == raw.replace("inner", "left", 1)
    assert edited(raw, 1) == "left".join(raw.rsplit("inner", 1))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select * from a left join b on a.id = b.id", "it is a left join"),
        ("select * from a left outer join b on a.id = b.id", "it is a left outer join"),
        ("select * from a right join b on a.id = b.id", "it is a right join"),
        ("select * from a full join b on a.id = b.id", "it is a full join"),
        ("select * from a cross join b", "it is a cross join"),
        ("select * from a natural join b", "it is a natural join"),
        ("select * from a natural inner join b", "it is a natural inner join"),
        ("select * from a semi join b using (id)", "it is a semi join"),
        ("select * from a asof join b on a.t >= b.t", "it is a asof join"),
        ("select * from a join b", "it has no ON or USING"),
        ("select * from a join (select 1 from c join d on c.x = d.x) b", "it has no ON or USING"),
        ("select * from a, b where a.id = b.id", "no join number 1"),
        ("", "no join number 1"),
    ],
)
def test_what_is_no_inner_join_is_refused(sql, reason):
    assert reason in refusal(sql, sql=sql or " ")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("select {% if %} from a join b on {{ 'x", "Jinja of the file cannot be read"),
        ("select 'a from a join b on a.id = b.id", "cannot be split into words"),
        ("select 1", "made by a macro"),
    ],
)
def test_files_that_cannot_be_read_are_refused(raw, reason):
    assert reason in refusal(raw, sql="select * from a join b on a.id = b.id")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_several_joins_are_edited_one_after_the_other(order):
    raw = (
        "with x as (select * from a join b on a.id = b.id),\n"
        "y as (select * from a join b on a.id = b.id join {{ ref('c') }} c on c.id = a.id)\n"
        "select * from x cross join y {{ lookup('z') }}"
    )
    sql, text = compiled(raw), raw
    for ordinal in order:
        text = edited(text, ordinal, sql=sql)
    assert text == raw.replace("a join b", "a left join b").replace("id join", "id left join")


def test_words_that_jinja_joins_are_one_word():
    # rendered as `ainner join`, in which `ainner` is an alias
    raw = "select * from x as a {%- if true -%} inner join b on a.id = b.id {% endif %}"
    assert edited(raw) == raw.replace("join", "left join")


NAMES = st.sampled_from(["b", "c", "größe", "d1"])
KINDS = st.sampled_from(["inner join", "join", "INNER  JOIN", "left join", "cross join", "Join"])
TABLES = st.sampled_from(["{{ ref('%s') }}", "%s", '"%s"', "raw.%s", "{{- source('raw', '%s') }}"])
NOISE = st.sampled_from(
    [
        "",
        "-- inner join x on don't\n",
        "/* join b on */",
        "{# inner join b #}",
        "{% if yes %}{% endif %}",
        "{%- set q = \"inner join b\" -%}\n",
        "{% if no %} inner join b on b.id = a.id {% endif %}",
        "{{ lookup('zz') }}",
    ]
)  # fmt: skip
JOINS = st.lists(st.tuples(NOISE, KINDS, TABLES, NAMES), min_size=1, max_size=5)


@given(JOINS, st.booleans(), st.data())
def test_rendering_the_edit_is_editing_the_rendered(joins, twice, data):
    lines = [
        f"{noise}\n{kind} {table % name} as t{0 if twice else i}"
        + ("" if "cross" in kind else f" on a.id = t{0 if twice else i}.id and 'a join' <> 'b'")
        for i, (noise, kind, table, name) in enumerate(joins)
    ]
    raw = "select * from {{ ref('a') }} as a\n" + "\n".join(lines) + "\nwhere 1 = 1\n"
    sql = compiled(raw, yes=True, no=False)
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    keywords = [i for i, t in enumerate(tokens) if t.token_type is TokenType.JOIN]
    assume(keywords)  # a tag that cuts space may join a word to its neighbour
    ordinal = data.draw(st.integers(0, len(keywords) - 1))

    edit = restore_left_join(raw, compiled_code=sql, dialect="duckdb", ordinal=ordinal)

    if isinstance(edit, NoEdit):
        return
    words = [sql[t.start : t.end + 1].lower() for t in tokens]
    position = keywords[ordinal]
    expected = [*words[: position - (words[position - 1] == "inner")], "left", *words[position:]]
    after = compiled(edit.text, yes=True, no=False)
    found = sqlglot.tokenize(after, dialect="duckdb")
    assert [after[t.start : t.end + 1].lower() for t in found] == expected
    assert len(edit.text) - len(raw) in (-1, 5)
