"""Which edits of a model's SQL a specialist may propose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import sqlglot
from jinja2 import Environment, TemplateSyntaxError, nodes
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import QueryRefused
from dagster_agent.repair.jinja_text import literal_sql
from dagster_agent.sql.guard import parse_select, read_only

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_CALL = re.compile(r"\{\{-?\s*(\w+)\s*\(")
_CONFIG = re.compile(r"\{\{-?\s*config\s*\(")
_PLAIN_TEXT = re.compile(r"[\w .\-]*")
_STATEMENTS = re.compile(r"\{%-?\s*(?:if\s+(?:not\s+)?is_incremental\(\)|else|endif)\s*-?%\}")
_CONFIG_KEYS = frozenset({"unique_key", "incremental_strategy", "on_schema_change", "materialized"})
_MATERIALIZED = frozenset({"table", "view", "incremental", "ephemeral"})
_DBT = frozenset({"ref", "source", "is_incremental", "config"})
_HARMLESS = frozenset(
    """
    ABS AVG CAST CEIL COALESCE CONCAT COUNT DATE_TRUNC DENSE_RANK FIRST_VALUE FLOOR GREATEST IF IN
    LAG LAST_VALUE LEAD LEAST LEFT LENGTH LOWER MAX MIN NULLIF OVER RANK REPLACE RIGHT ROUND
    ROW_NUMBER SUBSTRING SUM TRIM TRY_CAST UPPER USING AS AND OR ON WHEN THEN ELSE WHERE FROM JOIN
    EXISTS DISTINCT BY
    """.split()  # noqa: SIM905 - as a list of quoted words it would be harder to review
)
"""Words before a parenthesis that an edit may bring into a file which cannot be parsed whole."""
_COMMANDS = frozenset(
    """
    ALTER ATTACH CALL COPY CREATE DELETE DETACH DROP EXECUTE EXPORT GRANT IMPORT INSERT INSTALL INTO
    LOAD MERGE PRAGMA REVOKE SET TRUNCATE UPDATE VACUUM ;
    """.split()  # noqa: SIM905 - as above
)


def sql_trouble(before: str, after: str, *, manifest: Manifest, dialect: str) -> str:
    """Why the edit is not allowed; empty when it is.

    Added Jinja may only name models and sources, or call a macro that models of the project call
    already, with plain texts; `config` may only set how rows are kept. The SQL around it must stay
    one harmless SELECT that reads no table by name that it did not read before.
    """
    if trouble := _jinja_trouble(before, after, manifest):
        return trouble
    old, new = _literal(before), _literal(after)
    if old is None or new is None:
        return "its Jinja cannot be read"
    try:
        read_only(old, dialect)
    except QueryRefused:
        return _word_trouble(old, new, dialect)
    try:
        read_only(new, dialect)
    except QueryRefused as error:
        return error.message.removeprefix("the statement was not sent: ")
    hard = sorted(_tables(new, dialect) - _tables(old, dialect))
    return f"it reads {hard[0]} by name; use ref() or source()" if hard else ""


def _jinja_trouble(before: str, after: str, manifest: Manifest) -> str:
    added = Counter(_JINJA.findall(after)) - Counter(_JINJA.findall(before))
    macros = _macros_in_use(manifest)
    for segment in added:
        if segment.startswith("{%"):
            if not _STATEMENTS.fullmatch(segment):
                return f"it adds the Jinja statement {segment[:80]}"
        elif not _plain_expression(segment, macros):
            return f"it adds the Jinja expression {segment[:80]}"
    if after.count("{#") > before.count("{#"):
        return "it adds a Jinja comment"
    return ""


def _macros_in_use(manifest: Manifest) -> frozenset[str]:
    """Macros without a package's name that models call to write SQL."""
    called = {
        name
        for uid, asset in manifest.assets.items()
        if asset.resource_type == "model"
        for name in _CALL.findall(manifest.raw_code(uid))
    }
    return frozenset(called) - _DBT - {"env_var", "var", "run_query", "log", "return", "print"}


def _plain_expression(segment: str, macros: frozenset[str]) -> bool:
    try:
        (output,) = Environment().parse(segment).body  # noqa: S701 - parsed, never rendered
    except (TemplateSyntaxError, ValueError):
        return False
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        return False
    (node,) = output.nodes
    if isinstance(node, nodes.Name):
        return node.name == "this"
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
        return False
    if node.dyn_args or node.dyn_kwargs:
        return False
    if node.node.name == "config":
        return not node.args and all(_plain_config(pair) for pair in node.kwargs)
    known = node.node.name in {"ref", "source"} or node.node.name in macros
    return known and not node.kwargs and all(_plain_value(a) for a in node.args)


def _plain_config(pair: nodes.Keyword) -> bool:
    if pair.key not in _CONFIG_KEYS or not _plain_value(pair.value):
        return False
    value: Any = pair.value
    return pair.key != "materialized" or getattr(value, "value", None) in _MATERIALIZED


def _plain_value(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.List):
        return all(_plain_value(item) for item in node.items)
    if not isinstance(node, nodes.Const):
        return False
    value: object = node.value
    return isinstance(value, int | float) or bool(
        isinstance(value, str) and _PLAIN_TEXT.fullmatch(value)
    )


def _literal(text: str) -> str | None:
    """The SQL with Jinja blanked out: calls of config vanish, other expressions stand for names."""
    literal = literal_sql(text)
    if literal is None:
        return None
    blanked = literal.text
    for start, end in literal.expressions:
        if _CONFIG.match(text.replace("\r\n", " \n"), start):
            blanked = blanked[:start] + " " * (end - start) + blanked[end:]
    return blanked


def _tables(sql: str, dialect: str) -> set[str]:
    tree = parse_select(sql, dialect)
    ctes = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    names = (t.sql(dialect).split(" AS ")[0].casefold() for t in tree.find_all(exp.Table))
    return {name for name in names if name not in ctes and name.strip("x\"`'")}


def _word_trouble(old: str, new: str, dialect: str) -> str:
    """For files that are no SQL without their Jinja: what may the added words be?"""
    try:
        before, after = (sqlglot.tokenize(text, dialect=dialect) for text in (old, new))
    except SqlglotError:
        return "its SQL cannot be split into words"
    added = Counter(map(_word, after)) - Counter(map(_word, before))
    if commands := sorted(_COMMANDS & set(added)):
        return f"it adds {commands[0]}"
    calls = set(_calls(after)) - set(_calls(before)) - _HARMLESS
    if calls:
        return f"it adds a call of {min(calls)}"
    reads = set(_reads(after)) - set(_reads(before))
    return f"it reads {min(reads)} by name; use ref() or source()" if reads else ""


def _word(token: Token) -> str:
    return token.text.upper() if token.token_type is not TokenType.SEMICOLON else ";"


def _calls(tokens: list[Token]) -> Iterator[str]:
    for name, bracket in pairwise(tokens):
        if bracket.token_type is TokenType.L_PAREN and re.match(r"\w", name.text):
            yield name.text.upper()


def _reads(tokens: list[Token]) -> Iterator[str]:
    for word, name in pairwise(tokens):
        if word.text.upper() not in {"FROM", "JOIN"} or name.token_type is TokenType.L_PAREN:
            continue
        if name.text.strip("x"):  # a name that Jinja does not stand for
            yield name.text.casefold()
