"""What kind of failure does a message or a log tell?

Every rule of every class is held against the log. A specific rule beats a general one, whatever
their places: so the database's own error beats the wrappers that repeat it. Among rules of one
degree the first line decides, because what comes later is mostly a consequence. Where no rule
matches, or only one that knows the form of a message (an exception, a heading), the families of
words decide (failure_class_guess.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dagster_agent.investigation.failure_class import (
    FailureClass,
    FailureRule,
    failure_classes,
)
from dagster_agent.investigation.failure_class_guess import Guess, guess
from dagster_agent.investigation.failure_facts import failure_facts
from dagster_agent.investigation.failure_log import FailureLog, read_log
from dagster_agent.model import Failure
from dagster_agent.privacy.redaction import redact

_UNKNOWN = "unknown"
_CODE_EXCEPTION = "code_exception"
_ONLY_FORM = frozenset(
    {
        *(f"code_exception/{each}" for each in ("exception-line", "traceback", "wrapper")),
        *(f"code_exception/{each}" for each in ("internal", "airbyte", "broken-dag")),
        *("compile_error/compilation", "compile_error/words", "sql_syntax/place-in-statement"),
        *("sql_syntax/words", "test_failure/heading", "config_env/airbyte-config-error"),
    }
)
"""Rules that know how a message is dressed, and nothing of what it says."""
_SURE = 3.2
"""Least score of a guess that replaces such a rule: two families that stand near, or a phrase."""
_DEGREES = (0.85, 0.7, 0.63)
"""Least confidence of a specific rule, of a likely one, of words that go together."""
_EXCERPT = 300
_AROUND = 600
"""Characters on both sides of a match that are redacted before the excerpt is cut."""
_MOST_TRIED = 20
"""Matches of one wording on lines that only warn, before the search for a better line ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """A rule that matched."""

    kind: FailureClass
    rule: FailureRule
    line: int
    start: int
    """Offset in the line."""
    end: int
    weak: bool

    @property
    def only_form(self) -> bool:
        return f"{self.kind.name}/{self.rule.id}" in _ONLY_FORM

    @property
    def rank(self) -> tuple[int, int, float, int, str]:
        """The least rank decides."""
        degree = sum(self.rule.confidence < least for least in _DEGREES)
        return (
            degree + (len(_DEGREES) + 1) * self.weak,
            self.line,
            -self.rule.confidence,
            self.start,
            self.kind.id,
        )


def classify(text: str) -> Failure:
    """Classify one error message or log. Never raises; the same text gives the same answer.

    Args:
        text: Anything from one line to megabytes; colours, stack traces and JSON are understood.
    """
    log = read_log(text)
    sign = min(_signs(log), key=lambda found: found.rank, default=None)
    if (sign is None or sign.only_form) and (found := guess(log)) and _says_more(found, sign, log):
        return _from_guess(log, found)
    if sign is None:
        return Failure(failure_class=_UNKNOWN, retryable=False, confidence=0.0, rule="")
    rule = sign.rule
    return Failure(
        failure_class=sign.kind.name,
        retryable=sign.kind.retryable if rule.retryable is None else rule.retryable,
        confidence=rule.confidence,
        rule=f"{sign.kind.name}/{rule.id}",
        excerpt=_excerpt(log.lines[sign.line], sign.start, sign.end),
        facts=failure_facts(log, line=sign.line, failure_class=sign.kind.name),
    )


def _says_more(found: Guess, sign: _Sign | None, log: FailureLog) -> bool:
    """Whether a guess is worth more than the only sign there is."""
    if sign is None:
        return True
    if found.name in (sign.kind.name, _CODE_EXCEPTION) or found.score < _SURE:
        return False
    return sign.weak or found.line not in log.weak


def _from_guess(log: FailureLog, found: Guess) -> Failure:
    retryable = found.retryable
    if retryable is None:
        retryable = failure_classes().get(found.name.replace("_", "-")).retryable
    return Failure(
        failure_class=found.name,
        retryable=retryable,
        confidence=found.confidence,
        rule=f"{found.name}/families",
        excerpt=_excerpt(log.lines[found.line], found.start, found.end),
        facts=failure_facts(log, line=found.line, failure_class=found.name),
    )


def classification_json(record_id: str, failure: Failure) -> dict[str, object]:
    """One line of `classify --jsonl`, as docs/contracts.md has it."""
    return {
        "id": record_id,
        "class": failure.failure_class,
        "retryable": failure.retryable,
        "confidence": failure.confidence,
        "rule": failure.rule,
    }


@cache
def _rules() -> tuple[tuple[FailureClass, FailureRule], ...]:
    return tuple((kind, rule) for kind in failure_classes() for rule in kind.rules)


def _signs(log: FailureLog) -> Iterator[_Sign]:
    for kind, rule in _rules():
        for wording in rule.wordings:
            for tried, match in enumerate(wording.matches(log.lowered)):
                sign = _sign(log, kind, rule, match)
                if not sign.weak or rule.confidence >= _DEGREES[1]:
                    yield sign
                if not sign.weak or tried >= _MOST_TRIED:
                    break


def _sign(log: FailureLog, kind: FailureClass, rule: FailureRule, match: re.Match[str]) -> _Sign:
    line = log.line_at(match.start())
    start = match.start() - log.starts[line]
    return _Sign(
        kind=kind,
        rule=rule,
        line=line,
        start=start,
        end=start + len(match[0]),
        weak=line in log.weak,
    )


def _excerpt(line: str, start: int, end: int) -> str:
    """The match and what stands around it, without secrets."""
    start = min(start, len(line))  # lower case may be longer than the line
    first = max(0, start - _AROUND)
    before = redact(line[first : end + _AROUND])
    if len(before) <= _EXCERPT:
        return before
    match = line[start:end]
    place = max(before.find(match), 0)
    left = max(0, min(place - (_EXCERPT - len(match)) // 2, len(before) - _EXCERPT))
    return before[left : left + _EXCERPT].strip()
