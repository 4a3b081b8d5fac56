"""`FailureLog`: the lines of a log that can say why a run failed.

What is not the error's own words is left out: colours, frames of stack traces, progress lines of
what went well. Of a long log only the lines that hold a word of failure are read, and of those
the first and the last, so that any text takes bounded time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_BUDGET = 60_000
"""Characters that the rules read."""
_LONGEST = 2_000
"""Characters of a line; a longer one is read in overlapping pieces."""
_OVERLAP = 200

_ESCAPED_BREAK = re.compile(r"(?:\\r)?\\n(?![\w\\-]{0,40}\.(?:sql|ya?ml|py|csv)\b)")
_COLOUR = re.compile(r"(?:\x1b|\\u001b|\\x1b)\[[0-9;?]{0,20}[A-Za-z]|\[(?:\d{1,2};){0,3}\d{1,2}m")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b]")
_SPACE = re.compile(r"[^\S\n]+")
_QUOTES = str.maketrans("“”‘’´", "\"\"'''")
_FRAME = re.compile(r'\s*File "[^"\n]+", line \d+')
_OTHER_FRAME = re.compile(
    r"\s*(?:at [\w.$<>/]+[.$][\w$<>]+\(|\.\.\. \d+ (?:more|common)|[+:]- |[\^~\s]{2,}$)"
)
_PROGRESS = re.compile(
    r"\[(?:RUN|OK|PASS|SUCCESS|SKIP|NO-OP|INSERT|CREATE|SELECT|MERGE|COPY|UPDATE)\b[^\]\n]{0,60}\]$"
    r"|\b\d+ of \d+ (?:START|OK|PASS|SKIP)\b"
    r"|\b(?:START|PASS) freshness of\b|^\s*(?:Succeeded|Passed|Started|Skipped) \["
)
_WELL = re.compile(
    r"\bretry succeeded\b|\bsucceeded (?:on|after) (?:retry|attempt|\d)"
    r"|\b(?:job|run|task|sync|pipeline|dag|step|model|load|query|refresh)"
    r" (?:has )?(?:finished|completed|ended)(?: ok| successfully| with success)\b"
    r"|^\W*(?:change ?log|release notes?)\b|\bfix(?:e[sd])? an? (?:bug|issue|regression)\b"
    r"|\b(?:was|were|been|got) fixed in v?\d",
    re.IGNORECASE,
)
"""A line that says that all is well, or tells of another day."""
_LONGEST_PRAISE = 400
_WEAK = re.compile(
    r"\bWARN(?:ING)?\b|\bDEBUG\b|\[(?:debug|warn(?:ing)?) ?\]|[Rr]etrying\b|\b[Ww]ill (?:be )?retr"
    r"|(?:Deprecation|Future)Warning"
)
_WORTH_READING = (
    *("error", "exception", "fail", "fatal", "critical", "denied", "unable", "could not"),
    *("couldn't", "cannot", "can't", "does not", "doesn't", "not found", "not auth", "not allow"),
    *("not recog", "not exist", "not null", "invalid", "unrecogni", "unresolved", "missing"),
    *("exceed", "timed out", "time out", "timeout", "abort", "kill", "terminat", "refused"),
    *("reset", "unavailable", "lock", "conflict", "duplicate", "violat", "mismatch", "stale"),
    *("overdue", "fresh", "sqlstate", "ora-", "undefined", "unknown", "expired", "forbidden"),
    *("unauthorized", "oom", "quota", "throttl", "too many", "no such", "syntax", "traceback"),
    *("out of", "unreachable", "environ", "signal", "exit"),
)
"""Words of failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLog:
    """A log made ready for the rules."""

    lines: tuple[str, ...]
    """In order, with single spaces and their own capitals."""
    lowered: str
    """The same lines in lower case, joined with line breaks."""
    starts: tuple[int, ...]
    """Offset of each line in `lowered`."""
    weak: frozenset[int]
    """Lines that warn or announce a retry: they decide only where nothing else does."""

    def line_at(self, offset: int) -> int:
        """Index of the line that holds this offset of `lowered`."""
        return bisect_right(self.starts, offset) - 1


def read_log(text: str) -> FailureLog:
    """Make any text ready: a message, a log of megabytes, JSON with escaped line breaks."""
    lines = _within_budget(_worth_reading(list(_pieces(_own_words(_clean(text))))))
    lowered = [line.translate(_QUOTES).lower() for line in lines]
    starts, offset = list[int](), 0
    for line in lowered:
        starts.append(offset)
        offset += len(line) + 1
    return FailureLog(
        lines=tuple(lines),
        lowered="\n".join(lowered),
        starts=tuple(starts),
        weak=frozenset(n for n, line in enumerate(lines) if _WEAK.search(line)),
    )


def _clean(text: str) -> str:
    if "\\n" in text:
        text = _ESCAPED_BREAK.sub("\n", text).replace("\\t", " ").replace('\\"', '"')
    return _CONTROL.sub("", _COLOUR.sub("", text).replace("\r", "\n"))


def _own_words(text: str) -> Iterator[str]:
    """Lines without frames and progress; the source line under a Python frame goes with it."""
    in_frame = False
    for line in text.split("\n"):
        start = line[:_LONGEST]
        if _FRAME.match(start):
            in_frame = True
            continue
        source = in_frame and line[:1].isspace() and "environ" not in start
        in_frame = False
        if source or not start.strip() or _OTHER_FRAME.match(start) or _all_is_well(start):
            continue
        yield _SPACE.sub(" ", line).strip()


def _all_is_well(line: str) -> bool:
    return bool(_PROGRESS.search(line) or (len(line) <= _LONGEST_PRAISE and _WELL.search(line)))


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """Lines of bounded length."""
    for line in lines:
        for start in range(0, max(len(line), 1), _LONGEST):
            yield line[start : start + _LONGEST + _OVERLAP]


def _worth_reading(lines: list[str]) -> list[str]:
    """All lines of a short log; of a long one those with a word of failure, and two after each."""
    if sum(map(len, lines)) <= _BUDGET:
        return lines
    chosen, follow, seen = list[str](), 0, set[str]()
    for line in lines:
        words = line.lower()
        follow = 3 if any(word in words for word in _WORTH_READING) else follow - 1
        if follow > 0 and (key := re.sub(r"\d+", "", words)) not in seen:
            seen.add(key)
            chosen.append(line)
    return chosen


def _within_budget(lines: list[str]) -> list[str]:
    """The first half of the budget and the last."""
    first, last, left = 0, len(lines), _BUDGET // 2
    while first < last and left > 0:
        left -= len(lines[first]) + 1
        first += 1
    left = _BUDGET // 2
    while first < last and left > 0:
        last -= 1
        left -= len(lines[last]) + 1
    return lines[:first] + lines[last:]
