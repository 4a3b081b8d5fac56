"""`guess`: the failure class that the words of a message speak for, where no rule knows it.

Lines are first made plain: names of tables, paths and settings are masked, so that
`stg_permission_denied` denies nothing, and `CommitFailedException` becomes three words. Then every
class scores by what the line holds: phrases (failure_class_phrases.py), and a thing with what is
wrong with it, the nearer the better (failure_class_words.py). Prose, questions and lines that only
inform score nothing; below a least score the answer is "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dagster_agent.investigation.failure_class_phrases import PHRASES
from dagster_agent.investigation.failure_class_words import FAMILIES, ORDER, PASSING, TOGETHER
from dagster_agent.investigation.failure_log import FailureLog

_LEAST = 2.2
"""Below it a line says nothing."""
_NEAR, _FAR = 16, 60
"""Characters between two words that belong together, and that may."""
_MOST_LINES = 150
"""Lines that are read: the first half and the last."""

_QUOTED = re.compile(r"([\"'`])([^\s\"'`]{1,200})\1")
_ADDRESS = re.compile(r"\w{1,10}://[^\s'\"]{1,2000}|(?<![\w.])(?:[\w.-]{0,80}/){1,40}[\w.*-]{1,80}")
_SETTING = re.compile(
    r"\b(?!error|err|msg|message|reason|cause|detail|status)[a-z][\w.]{0,60}=\S{0,80}"
)
_DOTTED = re.compile(r"\b(?:[A-Za-z_]\w{0,60}\.){1,12}(\w{1,80})")
_NAME = re.compile(r"\b[a-z0-9]{1,60}(?:_[a-z0-9]{1,60}){1,20}\b")
_CODE = re.compile(r"(?:^|[\s{,\"'(])(?:error|code|reason|type|status)[\"']?\s?[:=]\s?[\"']?$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_HEADING = re.compile(
    r"\b(?:Database|Runtime|Encountered an?|SQL) [Ee]rror(?: in \w{1,20} \S{1,200})?"
    r"(?: \(\S{1,200}\))?"
    r"|\bFailure in \w{1,20} \S{1,200}: (?:Database|Runtime|Compilation) Error[^\n]{0,300}"
    r"|(?<=Compilation Error) in \w{1,20} \S{1,200}(?: \(\S{1,200}\))?"
)
_NOTHING_WRONG = re.compile(
    r"\b(?:no|0|without(?: any)?) (?:\w{1,20} )?(?:fail\w*|errors?|reject\w*|locks?|conflicts?"
    r"|problems?|issues?|warnings?|duplicates?|rows (?:rejected|failed)|tables? missing)\b"
    r"|\b(?:step|task|job|run|command|process|workload|sync)s?\b[^.;:\n]{0,60}"
    r"\b(?:failed|did not (?:succeed|complete|finish))(?=[.,;!]|$)"
    r"|\b(?:errors?|failures?|warn(?:ing)?s?|fail(?:ed)?)\s?[:=]\s?0\b",
    re.IGNORECASE,
)
_NO_REPORT = re.compile(
    r"^\W{0,3}(?i:is|are|how|why|what|does|do|can|could|has|should|where|did) [^\n]{1,400}\?"
    r"|\bI(?:'m| am| have| get| think| would| guess)?\b(?!/O)|(?i:\b(?:thanks|thank you|next week"
    r"|asking for|reminder|notes:))"
    r"|^[-*\u2022] {0,3}(?i:fix|add|raise|remove|improve|update|deprecate|support|require"
    r"|drop|close)\w{0,3} "
)
"""A question, one person who talks to another, a line of a list of changes."""
_PROSE = re.compile(
    r"\b(?:it|it's|its|that|these|those|we|our|they|them|such|also|example|should|would|may"
    r"|might|like|want|some|how|what|instead|many|their|you|here|so|every|and|can|if|when)\b",
    re.IGNORECASE,
)
_MOST_PROSE = (1, 0.1)
"""Such words in a line without a mark of a report: how many, and which share of all."""
_MARK = re.compile(
    r"\w(?:Error|Exception)\b|\[[A-Z]{2,20}_[A-Z_.]{2,80}\]|\bSQLSTATE\b|\(\w{5}\):|^\d{3} [A-Z]"
    r"|\berror (?:in|at|while|occurred|when)\b|\b(?:ERROR|ERR|FATAL|CRITICAL|WARN|WARNING|DETAIL)\b"
    r"|\b(?i:error|exception|fatal|failed|failure|message|reason|panic)\b[\"']?\s?[:=]"
    r"|\d\d:\d\d:\d\d|^\W{0,3}(?i:error|failed|cannot|could not|unable|fatal|invalid|no such"
    r"|missing|unknown)\b"
)
_INFORMS = re.compile(r"\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\[(?:info|debug) {0,3}\]")
_GOES_WRONG = re.compile(
    r"error|exception|fail|fatal|denied|cannot|could not|unable", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What one line speaks for."""

    name: str
    """Public name of the class."""
    retryable: bool | None
    """Replaces the class's."""
    score: float
    """From `_LEAST`; one family of words gives 2 to 4."""
    line: int
    start: int
    """Offset in the line of the first word that counted."""
    end: int

    @property
    def confidence(self) -> float:
        """0.5 to 0.62: below every rule of a class that knows more than an exception's form."""
        return round(min(0.5 + 0.02 * (self.score - _LEAST), 0.62), 2)


def guess(log: FailureLog) -> Guess | None:
    """What the line that says most speaks for; the first of equals, warnings last."""
    best: Guess | None = None
    for line in _lines(log):
        found = _of_line(line, log.lines[line])
        if found and (best is None or _rank(log, found) > _rank(log, best)):
            best = found
    return best


def plain(line: str) -> str:
    """A line in lower-case words: without headings, and with § for names, paths and settings."""
    line = _HEADING.sub(" § ", _NOTHING_WRONG.sub(" § ", line))
    line = _SETTING.sub("§", _ADDRESS.sub("§", line))
    line = _QUOTED.sub(lambda found: _unless_code(found, found[2]), line)
    line = _DOTTED.sub(lambda found: found[1] if found[1][0].isupper() else "§", line)
    line = _NAME.sub(lambda found: _unless_code(found, found[0]), line)
    return _HUMP.sub(" ", line.replace("_", " ")).lower()


def _unless_code(found: re.Match[str], text: str) -> str:
    before = found.string[max(0, found.start() - 16) : found.start()]
    return text if _CODE.search(before) else "§"


def _lines(log: FailureLog) -> Iterator[int]:
    """Indexes of the lines that may report an error."""
    count = len(log.lines)
    for line in range(count):
        if _MOST_LINES // 2 <= line < count - _MOST_LINES // 2:
            continue
        text = log.lines[line]
        if _INFORMS.search(text) and not _GOES_WRONG.search(text):
            continue
        if not _NO_REPORT.search(text) and not _is_prose(text):
            yield line


def _is_prose(text: str) -> bool:
    count, share = _MOST_PROSE
    found = len(_PROSE.findall(text))
    return found > count and found > share * len(text.split()) and not _MARK.search(text)


def _rank(log: FailureLog, found: Guess) -> tuple[bool, float]:
    return found.line not in log.weak, found.score


def _of_line(line: int, text: str) -> Guess | None:
    words = plain(text)
    clues = list(_clues(words))
    scores: dict[str, list[float]] = {}
    for name, _, score, _ in clues:
        scores.setdefault(name, []).append(score)
    totals = {name: max(each) + 0.5 * (len(each) - 1) for name, each in scores.items()}
    if not totals:
        return None
    best = max(totals, key=lambda name: (totals[name], -ORDER.index(name)))
    if totals[best] < _LEAST:
        return None
    strongest = max((clue for clue in clues if clue[0] == best), key=lambda clue: clue[2])
    start, end = _place(text.lower(), strongest[3])
    return Guess(
        name=best, retryable=strongest[1], score=totals[best], line=line, start=start, end=end
    )


def _place(text: str, word: str) -> tuple[int, int]:
    """Where a word of the plain line stands in the line itself."""
    start = max(text.find(word.split(" ")[0]), 0)
    return start, start + len(word)


def _clues(words: str) -> Iterator[tuple[str, bool | None, float, str]]:
    """Class, whether worth a retry, score and a word of each clue of a line."""
    for name, score, pattern in _phrases():
        if found := pattern.search(words):
            yield name, None, score, found[0]
    spans = {family: list(pattern.finditer(words)) for family, pattern in _families().items()}
    for name, thing, wrong, score in TOGETHER:
        if near := _nearest(spans[thing], spans[wrong]):
            yield name, None, score + near[0], near[1]
    for name, thing, score in PASSING:
        if near := _nearest(spans[thing], spans["short"]):
            yield name, True, score + near[0], near[1]


def _nearest(things: list[re.Match[str]], wrongs: list[re.Match[str]]) -> tuple[float, str] | None:
    """What nearness adds, and the thing, of the two that stand nearest."""
    best, word = _FAR + 1, ""
    for thing in things[:20]:
        for wrong in wrongs[:20]:
            gap = max(wrong.start() - thing.end(), thing.start() - wrong.end())
            if 0 <= gap < best:
                best, word = gap, thing[0]
    if not word:
        return None
    return (1.0 if best <= _NEAR else 0.4), word


@cache
def _phrases() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple((name, score, _whole_words(pattern)) for name, score, pattern in PHRASES)


@cache
def _families() -> dict[str, re.Pattern[str]]:
    return {name: _whole_words(pattern) for name, pattern in FAMILIES.items()}


def _whole_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")
