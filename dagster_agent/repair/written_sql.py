"""`WrittenSql`: where a piece of a model's compiled SQL stands in its file with Jinja."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.jinja_text import LiteralSql, literal_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A replacement in the compiled text; whole words only."""

    start: int
    """Offset of the first character that is replaced."""
    end: int
    """Offset behind the last; equal to `start` of an insertion behind the word that ends there. One
    may be made behind what a single Jinja expression writes."""
    text: str
    """What stands there afterwards."""


def patched(text: str, patches: Iterable[Patch]) -> str:
    """The text with all patches applied; they do not overlap."""
    for patch in sorted(patches, key=lambda p: p.start, reverse=True):
        text = text[: patch.start] + patch.text + text[patch.end :]
    return text


class WrittenSql:
    """A model's file beside what dbt made of it, word by word.

    A word of the compiled SQL has a place in the file where it stands there literally, in the same
    order. Words that a macro, a loop or an expression makes have none.

    Args:
        raw_code: The file's text.
        compiled_code: What dbt made of it.
        dialect: sqlglot's name of the dialect.
    """

    def __init__(self, raw_code: str, *, compiled_code: str, dialect: str) -> None:
        self._raw = raw_code
        self._compiled_text = compiled_code
        self._compiled: Sequence[Token] = ()
        self._written: Sequence[Token] = ()
        self._places: dict[int, int] = {}
        self._expressions: frozenset[int] = frozenset()
        self._statements: Sequence[int] = ()
        self.obstacle = self._align(dialect)
        """Why nothing can be found; empty where it can."""

    def _align(self, dialect: str) -> str:
        literal = literal_sql(self._raw)
        if literal is None:
            return "the Jinja of the file cannot be read"
        try:
            self._compiled = sqlglot.tokenize(self._compiled_text, dialect=dialect)
            self._written = sqlglot.tokenize(literal.text, dialect=dialect)
        except SqlglotError:
            return "the SQL cannot be split into words"
        compiled = [_word(self._compiled_text, token) for token in self._compiled]
        written = [_written_word(literal, token) for token in self._written]
        self._expressions = frozenset(n for n, w in enumerate(written) if w.startswith("\0"))
        self._statements = [start for start, _ in literal.statements]
        matcher = SequenceMatcher(None, compiled, written, autojunk=False)
        for block in matcher.get_matching_blocks():
            self._places.update((block.a + n, block.b + n) for n in range(block.size))
        return ""

    def apply(self, patches: Sequence[Patch]) -> str | NoEdit:
        """The file with the patches made at the places that become those of the compiled text."""
        if self.obstacle:
            return NoEdit(reason=self.obstacle)
        moved: list[Patch] = []
        for patch in patches:
            span = self._span(patch)
            if span is None:
                line = self._compiled_text.count("\n", 0, patch.start) + 1
                return NoEdit(
                    reason=f"line {line} of the compiled SQL is not written in the file but made "
                    "by a macro, a loop or other Jinja"
                )
            moved.append(Patch(start=span[0], end=span[1], text=patch.text))
        return patched(self._raw, moved)

    def line(self, offset: int) -> int | None:
        """1-based line of the file in which a word of the compiled text stands."""
        index = self._compiled_index(offset)
        place = self._places.get(index) if index is not None else None
        return None if place is None else self._line(self._written[place].start)

    def elsewhere(self, name: str) -> tuple[int, ...]:
        """Lines of the file with that word in SQL that was not compiled: branches not taken."""
        reached = set(self._places.values())
        wanted = {name.casefold(), f'"{name.casefold()}"', f"`{name.casefold()}`"}
        lines = [
            self._line(token.start)
            for place, token in enumerate(self._written)
            if place not in reached and _word(self._raw, token) in wanted
        ]
        return tuple(dict.fromkeys(lines))

    def _span(self, patch: Patch) -> tuple[int, int] | None:
        if patch.start == patch.end:
            word = self._compiled_index(patch.end - 1)
            place = None if word is None else self._place_behind(word)
            behind = 0 if place is None else self._written[place].end + 1
            return None if place is None else (behind, behind)
        first, last = (self._compiled_index(at) for at in (patch.start, patch.end - 1))
        if first is None or last is None:
            return None
        places = [self._places.get(index) for index in range(first, last + 1)]
        begin, end = places[0], places[-1]
        if begin is None or end is None or places != list(range(begin, begin + len(places))):
            return None
        return self._written[begin].start, self._written[end].end + 1

    def _place_behind(self, word: int) -> int | None:
        """The written word that a compiled one, or the last one of an expression, ends with."""
        if word in self._places:
            return self._places[word]
        before = next((w for w in range(word, -1, -1) if w in self._places), None)
        if before is None:
            return None
        made = self._places[before] + 1
        last = len(self._written) if word + 1 == len(self._compiled) else None
        if made not in self._expressions or self._places.get(word + 1, last) != made + 1:
            return None
        start = self._written[made - 1].end
        tail = self._written[made + 1 : made + 2]
        stop = tail[0].start if tail else len(self._raw)
        return None if any(start < at < stop for at in self._statements) else made

    def _compiled_index(self, offset: int) -> int | None:
        index = bisect_right(self._compiled, offset, key=lambda token: token.start) - 1
        inside = index >= 0 and offset <= self._compiled[index].end
        return index if inside else None

    def _line(self, offset: int) -> int:
        return self._raw.count("\n", 0, offset) + 1


def _word(text: str, token: Token) -> str:
    return text[token.start : token.end + 1].casefold()


def _written_word(literal: LiteralSql, token: Token) -> str:
    """The word; something that is no word where Jinja stands in it."""
    index = bisect_right(literal.expressions, token.start, key=lambda span: span[1])
    if index < len(literal.expressions) and literal.expressions[index][0] <= token.end:
        return f"\0{token.start}"
    return _word(literal.text, token)
