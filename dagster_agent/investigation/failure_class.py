"""`FailureClass`: one kind of failed run, and the wording by which it is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster_agent.investigation.failure_classes as members
from dagster_agent.catalog import Catalog

_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_PART = re.compile(rf"\\.|{_CLASS}|\{{[\d,]+\}}|.", re.DOTALL)
_GROUP = re.compile(rf"\((?:\\.|{_CLASS}|[^()\[\\])*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A pattern, and a piece of text that every match of it holds."""

    pattern: re.Pattern[str]
    """Matched against lower-cased lines with single spaces."""
    literal: str
    """Looked for first: it is absent from most logs, and looking for it costs next to nothing."""

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """All matches in order."""
        return self.pattern.finditer(text) if self.literal in text else iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """One wording of one software, or a code."""

    id: str
    """Unique in its class."""
    confidence: float
    """0.95 and more: vendor code or a sentence that nothing else writes; 0.9: wording; 0.6: a word.

    From 0.85 on a rule is specific: the first specific match of a log decides it.
    """
    wordings: tuple[Wording, ...]
    """Alternatives."""
    retryable: bool | None
    """Replaces the class's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureClass:
    """A catalogue member; the docstring of its module says what belongs there and what does not."""

    id: str
    """The file's name with dashes."""
    retryable: bool
    """Whether the same run may succeed later with nothing changed."""
    rules: tuple[FailureRule, ...]
    """In no order: specificity and place in the log decide."""
    description: str
    """The docstring of the module."""

    @property
    def name(self) -> str:
        """Public name, in `Failure.failure_class` and in JSON: `missing_column`."""
        return self.id.replace("-", "_")


def rule(
    id: str,  # noqa: A002 - the public name of the field
    confidence: float,
    *patterns: str,
    retryable: bool | None = None,
) -> FailureRule:
    r"""One row of a class's table.

    Args:
        id: Software and wording: `duckdb-binder`.
        confidence: See `FailureRule.confidence`.
        patterns: Alternatives in lower case. `^` and `$` are those of a line; a gap is bounded and
            stays on its line (`[^\n]{0,80}`), so that any text takes linear time.
        retryable: Where it differs from the class.
    """
    wordings = tuple(
        Wording(pattern=re.compile(pattern, re.MULTILINE), literal=required_literal(pattern))
        for pattern in patterns
    )
    return FailureRule(id=id, confidence=confidence, wordings=wordings, retryable=retryable)


def required_literal(pattern: str) -> str:
    """The longest text that stands outside of groups and classes; empty where there is none."""
    best = run = ""
    for part in (*_PART.findall(_without_groups(pattern)), "."):
        if part == "|":
            return ""
        if literal := _literal(part):
            run += literal
            continue
        if part[0] in "?*{":
            run = run[:-1]  # what is repeated may be absent
        best, run = max(best, run, key=len), ""
    return best


def _literal(part: str) -> str:
    if len(part) == 1:
        return "" if part in ".^$+?*" else part
    return part[1] if part[0] == "\\" and not part[1].isalnum() else ""


def _without_groups(pattern: str) -> str:
    """The pattern with a dot for every group, however deep."""
    while (flatter := _GROUP.sub(".", pattern)) != pattern:
        pattern = flatter
    return pattern


def sqlstate(*codes: str) -> str:
    """Pattern of SQLSTATEs as PostgreSQL, Redshift, Spark, Snowflake and JDBC write them."""
    before = (
        r"sqlstate\W{0,4}|'c': '|\d{6} \(|(?:state|error) code: |pgcode\W{1,4}|\[(?=\w{5}\] \[)"
    )
    return rf"(?:{before})(?:{'|'.join(codes).lower()})\b"


def mysql(*codes: int) -> str:
    """Pattern of MySQL's and MariaDB's error numbers, as clients and drivers write them."""
    any_code = "|".join(map(str, codes))
    return (
        rf"(?:\((?:{any_code}), [\"']|\b(?:{any_code}) \(\w{{5}}\): |error code: (?:{any_code})\.)"
    )


def mssql(*codes: int) -> str:
    """Pattern of SQL Server's, Azure SQL's and Fabric's error numbers."""
    any_code = "|".join(map(str, codes))
    return (
        rf"(?:\bmsg (?:{any_code}), level |\((?:{any_code})\) \(sql\w+\)"
        rf"|\[sql server\][^\n]{{1,600}}?\((?:{any_code})\))"
    )


def clickhouse(*codes: int) -> str:
    """Pattern of ClickHouse's error numbers."""
    any_code = "|".join(map(str, codes))
    return rf"\bcode: (?:{any_code})(?:\.|, e\.displaytext| )[^\n]{{0,20}}exception"


def failure_class(
    *,
    id: str,  # noqa: A002 - the public name of the field
    retryable: bool,
    description: str | None,
    rules: Sequence[FailureRule],
) -> FailureClass:
    """Build a member; registers nothing."""
    return FailureClass(
        id=id, retryable=retryable, rules=tuple(rules), description=description or ""
    )


def failure_classes() -> Catalog[FailureClass]:
    """All failure classes: ours and those of installed entry points."""
    return Catalog(members, FailureClass)
