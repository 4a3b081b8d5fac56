"""`failure_facts`: what a message names, read from the deciding line and its neighbours.

Names are returned without their quotes, parts joined with dots, as the message spells them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dagster_agent.investigation.failure_log import FailureLog
from dagster_agent.model import FailureFacts

_BEFORE, _AFTER = 4, 8
"""Neighbours of the deciding line in which its facts stand."""
_QUOTED = r"(?:\"{1,2}[^\"\n]{1,200}\"{1,2}|`[^`\n]{1,200}`|'[^'\n]{1,200}'|\[[^\]\n]{1,200}\])"
_PART = rf"(?:{_QUOTED}|[^\s\"'`.,;:()\[\]{{}}|]{{1,200}})"
_NAME = rf"((?:{_PART})(?:[.:]{_PART}){{0,4}})"
_SNOWFLAKE_NAME = r"'((?:\"[^\"\n]{1,200}\"|[^'\"\n]){1,200})'"


def _patterns(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)


_COLUMN = _patterns(
    rf"invalid identifier {_SNOWFLAKE_NAME}",
    rf"does not have a column (?:named|with name) {_NAME}",
    rf"referenced (?:update )?column {_NAME}",
    rf"unrecognized name: {_NAME}",
    rf"\bname {_NAME} not found inside",
    rf"\bwith name {_NAME} cannot be resolved",
    rf"cannot resolve (?:column (?:name )?)?{_NAME}",
    rf"keyerror: \"\[({_QUOTED})",
    rf"\bno column {_NAME} found",
    rf"missing columns: {_NAME}",
    rf"(?:no such column|no such field|has no column named|missing columns?):? {_NAME}",
    rf"unknown (?:expression )?(?:or function )?(?:identifier|column):? {_NAME}",
    rf"invalid column name:? {_NAME}",
    r"ORA-00904: ((?:\"[^\"\n]{1,120}\"\.){0,2}\"[^\"\n]{1,120}\")",
    rf"NOT NULL constraint failed: \S{{1,200}}?\.{_NAME}$",
    rf"UNIQUE constraint failed: [^\s,]{{1,200}}?\.{_NAME}",
    rf"into column {_NAME}",
    rf"\bfield (?:name )?{_NAME} (?:does not exist|has changed)",
    rf"\b(?:merge fields) {_NAME}",
    rf"\bcolumn(?: name| reference| with name|:)? {_NAME}(?= |,|$|\.$|!|;|:)",
    r"Key \(([^)\n]{1,200})\)=",
    r"Duplicate key \"([^\":\n]{1,120}): ",
)
_RELATION = _patterns(
    rf"(?:table|view|schema|catalog) with name {_NAME} does not exist",
    r"NOT NULL constraint failed: ([^\s.]{1,200}(?:\.[^\s.]{1,200}){0,2})\.[^\s.]{1,200}$",
    r"UNIQUE constraint failed: ([^\s.,]{1,200}(?:\.[^\s.,]{1,200}){0,2})\.[^\s.,]{1,200}",
    rf"not found: (?:table|dataset|view|model) {_NAME}",
    rf"(?:object|table|view|schema|database|stage) {_SNOWFLAKE_NAME} does not exist",
    rf"the table or view {_NAME} cannot be found",
    rf"\b(?:no such (?:table|view)|invalid object name|unknown table):? {_NAME}",
    rf"\btable or view not found:? {_NAME}",
    r"ORA-00942: table or view (\"[^\n]{1,120}\") does",
    rf"\bFROM-clause entry for table {_NAME}",
    rf"\brelation {_NAME}(?= |,|$|:)",
    rf"\b(?:access to|due to concurrent update against) (?:table )?{_NAME}",
    rf"\blocked table {_NAME}",
    rf"access denied: (?:table|dataset|view) {_NAME}: ",
    rf"permission denied (?:for|on) (?:table|relation|view|schema) {_NAME}",
    rf"operate on (?:table|schema|view|database|warehouse) {_NAME}",
    rf"freshness of {_NAME}",
    rf"\b(?:from|for) table {_NAME}",
    rf"\b(?:table|view|dataset|schema) {_NAME} (?:does not|doesn't|not found|was not|is not)",
    rf"\b(?:table|view|dataset|schema) {_NAME} (?:cannot|could|has|already|must)",
    rf"\b(?:table|view) ({_QUOTED}(?:\.{_QUOTED}){{0,3}})",
    rf"on table {_NAME}",
)
_CANDIDATES = _patterns(
    r"(?:candidate (?:bindings|tables|entries)|did you mean one of the following\?|available are"
    r"|did you mean|perhaps you meant to reference (?:the )?(?:columns?|table)|given input columns"
    r"|maybe you meant|available columns(?: are)?|similar (?:columns|names))"
    r"[:?]? ?(?:: )?([^\n]{1,1500})",
)
_CANDIDATE = re.compile(
    r"(?:\"[^\"\n]{1,120}\"|`[^`\n]{1,120}`|'[^'\n]{1,120}'|[\w$]{1,120})"
    r"(?:\.(?:\"[^\"\n]{1,120}\"|`[^`\n]{1,120}`|[\w$]{1,120})){0,4}"
)
_NO_CANDIDATE = {"or", "and", "the", "column", "columns", "line", "at", "sqlstate"}
_CANDIDATES_END = re.compile(r"[\])?;]|\bLINE \d|\bSQLSTATE\b|\.\.| at \[|\. |\.$", re.IGNORECASE)
_NODE = re.compile(
    r"\b(?:error|failure|warning|exception) in "
    r"(?:(?:data |unit )?test|unit_test|model|seed|snapshot|operation|analysis|macro|source)"
    r" (\S{1,200}) \(([^)\n]{1,300})\)",
    re.IGNORECASE,
)
_NODE_ELSEWHERE = _patterns(
    r"\b(?:fail|warn|error) (?:\d+ )?(\w{1,200})[ .]*\[(?:fail|warn|error) [^\]\n]{0,40}\]",
    r"\berror creating (?:\w+ ){1,4}model (?:\S{1,200}\.)?(\w{1,200})[ .]*\[",
    r"\berror (?:loading seed|snapshotting|loading) (?:file )?(\S{1,200}?)[ .]*\[",
    r"\b(?:model|test|seed|snapshot|source)\.\w{1,80}\.(\w{1,160})",
    r"(?:unit )?test '([^'\n]{1,200})'",
)
_FILE = _patterns(
    r"--> ((?:[\w.@-]{1,80}[/\\]){0,12}[\w.@-]{1,120}\.(?:sql|py|ya?ml|csv)):(\d+)",
    r"((?:^|(?<=[\s(\"']))(?:[\w.@-]{1,80}[/\\]){0,6}?"
    r"(?:models|seeds|snapshots|macros|tests|analyses|analysis|data|dbt_packages)[/\\]"
    r"(?:[\w.@-]{1,80}[/\\]){0,8}[\w.@-]{1,120}\.(?:sql|py|ya?ml|csv))",
)
_LINE = _patterns(
    r"\bLINE (\d+):",
    r"\berror line (\d+) at position",
    r"\bat \[(\d+):\d+\]",
    r"\bline (\d+),? ?(?:pos|at position|column|char)",
    r"\bline (\d+):\d+",
    r"\.(?:sql|ya?ml|py):(\d+):\d+",
    r"^line (\d+)$",
    r"\bnear line (\d+)",
    r"\bat line (\d+)\b",
    r"\((?:line |)(\d+), ?(?:pos |col(?:umn)? ?)\d+\)",
)
_CODE = _patterns(
    r"\b(\d{6}) \(\w{5}\)",
    r"\b(ORA-\d{5})\b",
    r"SQLSTATE\W{0,4}([0-9A-Z]{5})\b",
    r"'C': '([0-9A-Z]{5})'",
    r"(?:state|error) code: ([0-9A-Z]{5})\b",
    r"\b(dbt\d{4})\b",
    r"\[((?:[A-Z]{2,}_)+[A-Z]{2,}(?:\.[A-Z_]+)?)\]",
    r"\bname=([A-Z_]{4,}),",
    r"\bERROR:? +(\d{4})\b",
    r"\((\d{4}), [\"']",
    r"\bcode: (\d{2,4})\b",
    r"\b([45]\d\d) (?:client error|server error|not found|access denied|forbidden|unauthorized"
    r"|bad request|too many|service|bad gateway|gateway|internal|exceeded|quota|post |get )",
    r"\b(?:http(?:/[\d.]+)?|status(?:[ _]?code)?|response(?:[ _]code)?|error)\W{1,4}([45]\d\d)\b",
    r"^(?:[\w.]{1,80}: )?([45]\d\d) (?=\D)",
    r"\bexit(?:ed)?(?: with)?(?: code)?:? (-?\d{1,3})\b",
    r"an error occurred \((\w{4,60})\) when calling",
)
_WITH_COLUMN = frozenset(
    {"missing_column", "type_error", "contract_violation", "duplicate_rows", "sql_syntax"}
)
_WITH_RELATION = _WITH_COLUMN | {
    "missing_relation",
    "auth_permission",
    "concurrency_lock",
    "stale_source",
    "transient_infra",
    "out_of_resources",
}


def failure_facts(log: FailureLog, *, line: int, failure_class: str) -> FailureFacts:
    """What the message names.

    Args:
        log: The log.
        line: Index of the line that decided.
        failure_class: Its class; names of columns are read only where the class is about them.
    """
    near = _around(log, line)
    model, path = _node(log, line)
    file = _first_groups(_FILE, near)
    number = _first(_LINE, near)
    if file and len(file) > 1 and file[1]:
        number = file[1]
    return FailureFacts(
        relation=_name(_first(_RELATION, near)) if failure_class in _WITH_RELATION else None,
        column=_name(_first(_COLUMN, near)) if failure_class in _WITH_COLUMN else None,
        candidates=_candidates(near),
        model=model or _first(_NODE_ELSEWHERE, near),
        path=path or (file[0] if file else None),
        line=int(number) if number and len(number) < 8 else None,
        code=_first(_CODE, near),
    )


def _around(log: FailureLog, line: int) -> tuple[str, ...]:
    """The deciding line alone, then with what follows it, then with what precedes it."""
    after = "\n".join(log.lines[line : line + _AFTER])
    before = "\n".join(log.lines[max(0, line - _BEFORE) : line])
    return log.lines[line], after, before


def _node(log: FailureLog, line: int) -> tuple[str | None, str | None]:
    """dbt node and file: of the nearest heading at or above the line, else of the next one."""
    above = range(line, max(-1, line - 40), -1)
    below = range(line + 1, min(len(log.lines), line + 40))
    for number in (*above, *below):
        if found := _NODE.search(log.lines[number]):
            return found[1], found[2]
    return None, None


def _first_groups(
    patterns: Sequence[re.Pattern[str]], texts: Sequence[str]
) -> tuple[str | None, ...] | None:
    for text in texts:
        for pattern in patterns:
            if found := pattern.search(text):
                return found.groups()
    return None


def _first(patterns: Sequence[re.Pattern[str]], texts: Sequence[str]) -> str | None:
    groups = _first_groups(patterns, texts)
    return groups[0] if groups else None


def _name(spelled: str | None) -> str | None:
    """A name without its quotes."""
    if spelled is None:
        return None
    bare = re.sub(r"[\"`\[\]]|^'|'$|'(?=\.)|(?<=\.)'", "", spelled).strip()
    return bare or None


def _candidates(texts: Sequence[str]) -> tuple[str, ...]:
    """Names that the software proposes, in its order, each once."""
    listed = _first(_CANDIDATES, texts[:2])
    if listed is None:
        return ()
    inner = listed.lstrip("[( :\t")
    end = _CANDIDATES_END.search(inner)
    names = [
        _name(found[0]) for found in _CANDIDATE.finditer(inner[: end.start()] if end else inner)
    ]
    return tuple(dict.fromkeys(n for n in names if n and n.lower() not in _NO_CANDIDATE))
