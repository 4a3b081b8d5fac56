"""Edits of one join in a model's Jinja text; every other byte stays as it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from dagster_agent.repair.jinja_text import LiteralSql, literal_sql

_KINDS = frozenset(
    {"INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "NATURAL"}
    | {"SEMI", "ANTI", "ASOF", "POSITIONAL", "ANY", "ALL", "GLOBAL"}
)
_CLAUSE_ENDS = _KINDS | frozenset(
    {"JOIN", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH"}
    | {"UNION", "EXCEPT", "INTERSECT", "SELECT", ",", ";"}
)
_CONDITIONS = frozenset({"ON", "USING"})
_END = "\x1f"
_ANY_TOKENS = f"(?:[^{_END}]*{_END}){{0,200}}?"
_ANY_TEXT = f"[^{_END}]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinInFile:
    """A join of the compiled SQL as the file writes it."""

    kind: str
    """Words before JOIN in lower case, such as `left outer`; empty for a plain join."""
    joined: str
    """What stands after JOIN, as written: `planes`, `{{ ref('stg_planes') }}`, `(`."""
    start: int
    """Offset of the first word of the join."""
    keyword: int
    """Offset of JOIN."""
    line: int
    """1-based line of the first word."""
    column: int
    """1-based column of the first word."""
    conditional: bool
    """It has ON or USING."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinEdit:
    """An edited text."""

    text: str
    """The whole text after the edit."""
    join: JoinInFile
    """The join as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEdit:
    """No edit can be made; says why, as the end of a sentence."""

    reason: str
    """What stands in the way."""


def restore_left_join(
    raw_code: str, *, compiled_code: str, dialect: str, ordinal: int
) -> JoinEdit | NoEdit:
    """Turn one inner join into a left join.

    Args:
        raw_code: The file's text with its Jinja.
        compiled_code: What dbt made of it.
        dialect: sqlglot's name of the dialect.
        ordinal: 0-based position of the join among all JOIN keywords of `compiled_code`.

    Returns:
        The edited text; NoEdit when the join is not literally in the file, is not an inner join,
        or cannot be told from another one.
    """
    join = find_join(raw_code, compiled_code=compiled_code, dialect=dialect, ordinal=ordinal)
    if isinstance(join, NoEdit):
        return join
    if join.kind not in ("", "inner"):
        return NoEdit(reason=f"it is a {join.kind} join, not an inner join")
    if not join.conditional:
        return NoEdit(reason="it has no ON or USING, which a left join needs")
    word = raw_code[join.start : join.start + len("inner" if join.kind else "join")]
    left = "LEFT" if word.isupper() else "Left" if word[0].isupper() else "left"
    after = join.start + len(word) if join.kind else join.start
    gap = "" if join.kind else " "
    return JoinEdit(text=f"{raw_code[: join.start]}{left}{gap}{raw_code[after:]}", join=join)


def find_join(
    raw_code: str, *, compiled_code: str, dialect: str, ordinal: int
) -> JoinInFile | NoEdit:
    """Find a join of the compiled SQL in the file. Arguments as for `restore_left_join`."""
    literal = literal_sql(raw_code)
    if literal is None:
        return NoEdit(reason="the Jinja of the file cannot be read")
    try:
        compiled = _Joins(LiteralSql(text=compiled_code, expressions=(), statements=()), dialect)
        written = _Joins(literal, dialect)
    except SqlglotError:
        return NoEdit(reason="the SQL cannot be split into words")
    if not 0 <= ordinal < len(compiled.keywords):
        return NoEdit(reason=f"the compiled SQL has no join number {ordinal + 1}")
    index = _written_as(compiled, written, ordinal)
    if isinstance(index, NoEdit):
        return index
    if written.kind(index) != compiled.kind(ordinal):
        return NoEdit(reason="the file reads differently from the compiled SQL at this join")
    return written.described(raw_code, index, conditional=compiled.conditional(ordinal))


def _written_as(compiled: _Joins, written: _Joins, ordinal: int) -> int | NoEdit:
    """Number of the written join that becomes the compiled one.

    Where all joins of the file read like those of the compiled SQL, one after the other, they
    correspond. Otherwise (macros, ephemeral models, branches not taken) the words decide, and the
    order among joins with the same words.
    """
    count = len(written.keywords)
    aligned = count == len(compiled.keywords)
    if aligned and all(written.becomes(n, compiled, n) for n in range(count)):
        return ordinal
    fits = [w for w in range(count) if written.becomes(w, compiled, ordinal)]
    if not fits:
        return NoEdit(reason="it is not written in the file but made by a macro or other Jinja")
    twins = [
        c
        for c in range(len(compiled.keywords))
        if any(written.becomes(w, compiled, c) for w in fits)
    ]
    if len(twins) != len(fits):
        return NoEdit(
            reason=f"{len(fits)} places in the file and {len(twins)} joins of the compiled SQL "
            "read alike and cannot be told apart"
        )
    return fits[twins.index(ordinal)]


class _Joins:
    """The joins of a text in text order."""

    def __init__(self, source: LiteralSql, dialect: str) -> None:
        self._source = source
        self._tokens = sqlglot.tokenize(source.text, dialect=dialect)
        self.keywords = [
            i for i, token in enumerate(self._tokens) if token.token_type is TokenType.JOIN
        ]
        """Token number of each JOIN."""

    def becomes(self, number: int, compiled: _Joins, ordinal: int) -> bool:
        """Whether it joins what a join of `compiled` joins, in the same words.

        Jinja expressions stand for anything. The kind of join does not count: where several joins
        are edited one after the other, the kinds of the earlier ones are not those compiled.
        """
        clause, end = compiled._clause(ordinal)
        subject = "".join(compiled._word(token) + _END for token in clause) + f"{end}{_END}"
        return self._pattern(number).match(subject) is not None

    def conditional(self, number: int) -> bool:
        """Whether it has ON or USING."""
        depth = 0
        for token in self._clause(number)[0]:
            word = self._word(token).upper()
            depth += (word == "(") - (word == ")")
            if depth == 0 and word in _CONDITIONS:
                return True
        return False

    def described(self, text: str, number: int, *, conditional: bool) -> JoinInFile:
        """The join in the text it was found in."""
        keyword = self.keywords[number]
        kind = self.kind(number)
        start = self._tokens[keyword - len(kind)].start
        first = last = keyword + 1
        while last + 2 < len(self._tokens) and self._word(self._tokens[last + 1]) == ".":
            last += 2
        joined = ""
        if first < len(self._tokens):
            joined = text[self._tokens[first].start : self._tokens[last].end + 1]
        return JoinInFile(
            kind=" ".join(kind),
            joined=joined,
            start=start,
            keyword=self._tokens[keyword].start,
            line=text.count("\n", 0, start) + 1,
            column=start - (text.rfind("\n", 0, start) + 1) + 1,
            conditional=conditional,
        )

    def kind(self, number: int) -> tuple[str, ...]:
        """The words before JOIN that say its kind, in lower case."""
        first = keyword = self.keywords[number]
        while first > 0 and self._word(self._tokens[first - 1]).upper() in _KINDS:
            first -= 1
        return tuple(self._word(token).lower() for token in self._tokens[first:keyword])

    def _clause(self, number: int) -> tuple[list[Token], str | None]:
        """Words after JOIN up to the next clause, and the word that begins it.

        The word is `join` before any join, empty at the end of the text, and None where a Jinja
        statement cuts the clause: what follows may be left away or repeated.
        """
        clause: list[Token] = []
        depth = 0
        previous = self._tokens[self.keywords[number]].end
        for token in self._tokens[self.keywords[number] + 1 :]:
            if any(previous < start < token.start for start, _ in self._source.statements):
                return clause, None
            word = self._word(token)
            depth += (word == "(") - (word == ")")
            if depth < 0 or (depth == 0 and word.split()[0].upper() in _CLAUSE_ENDS):
                return clause, "join" if word.upper() in _KINDS else word
            clause.append(token)
            previous = token.end
        cut = any(previous < start for start, _ in self._source.statements)
        return clause, None if cut else ""

    def _pattern(self, number: int) -> re.Pattern[str]:
        clause, end = self._clause(number)
        words = "".join(self._word_pattern(token) for token in clause)
        return re.compile(words if end is None else f"{words}{re.escape(end)}{_END}$")

    def _word_pattern(self, token: Token) -> str:
        """A word as it is; where Jinja expressions stand in it, anything."""
        parts: list[str] = []
        position, end = token.start, token.end + 1
        spans = self._source.expressions
        for start, stop in spans[bisect_right(spans, (position, 0)) :]:
            if start >= end:
                break
            parts.append(re.escape(self._source.text[position:start].casefold()))
            position = stop
        if not parts:
            return re.escape(self._word(token)) + _END
        tail = re.escape(self._source.text[position:end].casefold())
        if parts == [""] and not tail:
            return _ANY_TOKENS
        return _ANY_TEXT.join([*parts, tail]) + _END

    def _word(self, token: Token) -> str:
        return self._source.text[token.start : token.end + 1].casefold()
