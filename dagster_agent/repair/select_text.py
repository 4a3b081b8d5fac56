"""Where the SELECTs of a model's Jinja text stand, so that a clause can be added to one of them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.jinja_text import LiteralSql, literal_sql

_LATER = frozenset(
    {"GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH"}
    | {"UNION", "EXCEPT", "INTERSECT", "MINUS", "CLUSTER", "DISTRIBUTE", ";"}
)
"""What cannot stand before a QUALIFY or GROUP BY that is added at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEdit:
    """An edited file."""

    text: str
    """The whole text after the edit."""
    line: int
    """1-based line of the first change."""
    written: str
    """What was put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectInFile:
    """One SELECT as the file writes it, from its first word to its end."""

    outputs: tuple[int, int]
    """Offsets of its output list: after SELECT, and at FROM."""
    from_: int
    """Offset of FROM."""
    end: int
    """Offset after its last character that is no space, Jinja and comments included."""
    enclosed: bool
    """A closing parenthesis follows."""


class SelectsInFile:
    """The SELECTs of a model file. Jinja expressions count as words, statements as space.

    Raises:
        ValueError: Jinja or SQL cannot be split into words.
    """

    def __init__(self, text: str, dialect: str) -> None:
        literal = literal_sql(text)
        if literal is None:
            raise ValueError("the Jinja of the file cannot be read")
        try:
            self._tokens = sqlglot.tokenize(literal.text, dialect=dialect)
        except SqlglotError as error:
            raise ValueError("the SQL cannot be split into words") from error
        self.text = text
        self.literal: LiteralSql = literal

    def select(self, scope: str, *, complete: bool = True) -> SelectInFile | NoEdit:
        """The SELECT of a CTE, or the one that yields the model's rows.

        Args:
            scope: The CTE's name; empty for the model's own SELECT.
            complete: Refuse one that ends in GROUP BY, ORDER BY and the like.
        """
        if scope:
            return self._of_cte(scope, complete)
        return self._select(0, len(self._tokens), "the file", complete)

    def _of_cte(self, name: str, complete: bool) -> SelectInFile | NoEdit:
        wanted = name.casefold()
        heads = [
            number
            for number, token in enumerate(self._tokens[:-2])
            if self._word(token).strip('"`[]').casefold() == wanted
            and self._upper(number + 1) == "AS"
            and self._upper(number + 2) == "("
        ]
        if len(heads) != 1:
            return NoEdit(reason=f"{name} is not written as one CTE in the file")
        first = heads[0] + 3
        return self._select(first, self._closing(first), name, complete)

    def word_after(self, offset: int) -> str:
        """The first word that begins at or after an offset, in upper case; empty at the end."""
        found = (n for n, token in enumerate(self._tokens) if token.start >= offset)
        number = next(found, None)
        return "" if number is None else self._upper(number)

    def output(self, select: SelectInFile, name: str) -> tuple[int, int] | NoEdit:
        """Where an output column stands in a SELECT's list, without the space around it."""
        numbers = self._between(*select.outputs)
        parts: list[list[int]] = [[]]
        depth = 0
        for number in numbers:
            word = self._upper(number)
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0 and word == ",":
                parts.append([])
            else:
                parts[-1].append(number)
        fitting = [p for p in parts if p and self._name(p[-1]) == name.casefold()]
        if len(fitting) != 1:
            return NoEdit(reason=f"{name} is not written out as one output column in the file")
        first, last = self._tokens[fitting[0][0]], self._tokens[fitting[0][-1]]
        return first.start, last.end + 1

    def names_in(self, place: tuple[int, int], name: str) -> list[tuple[int, int]]:
        """Where a column is named in a stretch of the text, its alias (after AS) left out."""
        return [
            (self._tokens[number].start, self._tokens[number].end + 1)
            for number in self._between(*place)
            if self._name(number) == name.casefold() and self._upper(number - 1) != "AS"
        ]

    def case_in(self, place: tuple[int, int]) -> tuple[int, int] | None:
        """The one CASE ... END in a stretch of the text; None for none, several, or with Jinja."""
        numbers = self._between(*place)
        begins = [n for n in numbers if self._upper(n) == "CASE"]
        ends = [n for n in numbers if self._upper(n) == "END"]
        if len(begins) != 1 or len(ends) != 1:
            return None
        start, stop = self._tokens[begins[0]].start, self._tokens[ends[0]].end + 1
        spans = (*self.literal.expressions, *self.literal.statements)
        return None if any(b < stop and start < e for b, e in spans) else (start, stop)

    def qualifier(self, offset: int) -> str:
        """What stands before a column's name: `orders.`, or nothing."""
        number = next(n for n, token in enumerate(self._tokens) if token.start == offset)
        if number < 2 or self._upper(number - 1) != ".":
            return ""
        return self.text[self._tokens[number - 2].start : offset]

    def _between(self, start: int, stop: int) -> list[int]:
        return [n for n, t in enumerate(self._tokens) if start <= t.start and t.end < stop]

    def _name(self, number: int) -> str:
        return self._word(self._tokens[number]).strip('"`[]').casefold()

    def _select(self, first: int, stop: int, place: str, complete: bool) -> SelectInFile | NoEdit:
        level = self._level(first, stop)
        words = [self._upper(number) for number in level]
        if words.count("SELECT") != 1 or "FROM" not in words:
            return NoEdit(reason=f"{place} is not one SELECT with a FROM that is written out")
        at = words.index("SELECT")
        start = words.index("FROM", at)
        if words[at + 1] in ("DISTINCT", "TOP"):
            return NoEdit(reason=f"{place} has {words[at + 1]} in its SELECT")
        later = next((word for word in words[start:] if word in _LATER), None)
        if later is not None and complete:
            return NoEdit(reason=f"{place} already ends in {later}")
        enclosed = stop < len(self._tokens)
        limit = self._tokens[stop].start if enclosed else len(self.text)
        return SelectInFile(
            outputs=(self._tokens[level[at]].end + 1, self._tokens[level[start]].start),
            from_=self._tokens[level[start]].start,
            end=len(self.text[:limit].rstrip()),
            enclosed=enclosed,
        )

    def _level(self, first: int, stop: int) -> list[int]:
        """Numbers of the words that stand in no further parentheses."""
        found: list[int] = []
        depth = 0
        for number in range(first, stop):
            word = self._upper(number)
            depth -= word == ")"
            if depth == 0 and word != ")":
                found.append(number)
            depth += word == "("
        return found

    def _closing(self, first: int) -> int:
        depth = 1
        for number in range(first, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._upper(number), 0)
            if depth == 0:
                return number
        return len(self._tokens)

    def _word(self, token: Token) -> str:
        return self.literal.text[token.start : token.end + 1]

    def _upper(self, number: int) -> str:
        """The first word of a token: `GROUP BY` is one token."""
        return self._word(self._tokens[number]).split()[0].upper()


def with_clause(selects: SelectsInFile, select: SelectInFile, clause: str) -> TextEdit:
    """The text with a clause at the end of a SELECT, indented like its FROM.

    Args:
        selects: The file.
        select: Where to add.
        clause: What to add.
    """
    text = selects.text
    before_from = text[text.rfind("\n", 0, select.from_) + 1 : select.from_]
    indent = before_from[: len(before_from) - len(before_from.lstrip())]
    inline = select.enclosed and "\n" not in text[select.from_ : text.index(")", select.end)]
    gap = " " if inline else f"\n{indent}"
    after = text[: select.end] + gap + clause + text[select.end :]
    line = after.count("\n", 0, select.end + len(gap)) + 1
    return TextEdit(text=after, line=line, written=clause)
