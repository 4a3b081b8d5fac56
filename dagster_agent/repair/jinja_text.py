"""The SQL that stands literally in a Jinja template, with every character at its own place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError

Span = tuple[int, int]
"""Start and end offset, the end excluded."""

_FILLER = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralSql:
    """A template in which all Jinja is blanked out; as long as the template itself."""

    text: str
    """Expressions are runs of letters, statements and comments are spaces."""
    expressions: tuple[Span, ...]
    """Where `{{ ... }}` stood, and where other Jinja joins two words to one."""
    statements: tuple[Span, ...]
    """Where `{% ... %}` stood."""


def literal_sql(template: str) -> LiteralSql | None:
    """Blank out the Jinja of a template; None when Jinja cannot read it.

    What Jinja leaves away when it renders (newlines inside tags, space cut by `-`) becomes spaces,
    so that a SQL comment ends where it ends in the rendered text.
    """
    source = template.replace("\r\n", " \n").replace("\r", "\n")
    text: list[str] = []
    spans: dict[str, list[Span]] = {"variable": [], "block": []}
    blanks: list[Span] = []
    opened, position = ("", 0), 0
    try:
        for start, kind, edge, value in _pieces(source):
            if edge == "begin":
                opened = (kind, start)
            solid = len(value.rstrip() if edge == "end" else value)
            if edge == "end" and kind in spans:
                spans[kind].append((opened[1], start + solid))
            inside = "data" if kind == "data" else opened[0]
            if inside not in ("data", "variable"):
                blanks.append((position, start + len(value)))
            text.append(" " * (start - position))
            text.append(_blanked(value, solid, inside))
            position = start + len(value)
    except (TemplateSyntaxError, _Unlike):
        return None
    blanked = "".join(text) + source[position:]
    joints = _joints(blanked, blanks)
    for start, end in joints:
        blanked = blanked[:start] + _FILLER * (end - start) + blanked[end:]
    return LiteralSql(
        text=blanked,
        expressions=tuple(sorted((*spans["variable"], *joints))),
        statements=tuple(spans["block"]),
    )


def _joints(text: str, blanks: list[Span]) -> list[Span]:
    """Blanks with a letter on either side: what was apart in the file is one word when rendered."""
    merged: list[Span] = []
    for start, end in blanks:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return [
        (start, end)
        for start, end in merged
        if start > 0 and end < len(text) and f"_{text[start - 1]}{text[end]}".isidentifier()
    ]


class _Unlike(Exception):
    """Jinja's tokens are not the text that went in."""


def _pieces(source: str) -> Iterator[tuple[int, str, str, str]]:
    """Offset, kind (`data`, `variable`, `block`, ...), `begin` or `end` or empty, and text."""
    environment = Environment(keep_trailing_newline=True)  # noqa: S701 # reads, never renders
    position = 0
    for _line, token, value in environment.lex(source):
        # a `-` cuts the space before its tag away
        while not source.startswith(value, position):
            if position >= len(source) or not source[position].isspace():
                raise _Unlike
            position += 1
        kind, _, edge = token.partition("_")
        yield position, kind, edge, value
        position += len(value)
    if source[position:].strip():
        raise _Unlike


def _blanked(value: str, solid: int, kind: str) -> str:
    if kind == "data":
        return value
    filler = _FILLER if kind == "variable" else " "
    return filler * solid + " " * (len(value) - solid)
