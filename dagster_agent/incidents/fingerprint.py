"""When are two symptoms the same trouble again?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from dagster_agent.model import Symptom, SymptomKind

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(r"((?:\b[A-Za-z]+ )?\b[\w.]*(?:Error|Exception|Timeout)\b)[^\n]*")

_VOLATILE = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"), "<time>"),
    (re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"), "<time>"),
    (re.compile(r"(?:<time>[ ,]*)+(?:z|utc|[+-]\d\d:?\d\d)?(?![a-z])"), "<time>"),
    # folders differ between machines and runs, the file's name does not
    (re.compile(r"(?:\b[a-z]:)?(?:[^\s\\/:'\"()<>]*[\\/])+"), ""),
    (re.compile(r"__dbt_(?:tmp|backup)\w*"), ""),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{6,}\b"), "<id>"),
    # not the digits of a name such as orders_v2
    (re.compile(r"(?<![a-z_\d])[+-]?\d+(?:[.,]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def fingerprint(symptom: Symptom) -> str:
    """Sixteen hexadecimal digits, equal for the same trouble in other runs and on other days.

    Kind, asset, check and pair are what they are. The error class is what remains of the error
    lines of the log when times, numbers, ids and folders are taken out; for checks and tests only
    the kind of error counts, because their name says already what is wrong.
    """
    if symptom.kind is SymptomKind.QUESTION:
        trouble = " ".join((symptom.detail or symptom.headline).casefold().split())
    elif symptom.check is not None:
        trouble = " ".join(sorted(set(_error_kinds(symptom.detail))))
    else:
        trouble = error_class(symptom)
    parts = (symptom.kind.value, symptom.asset or "", symptom.check or "", trouble)
    if symptom.pair:
        parts += (symptom.pair,)
    return hashlib.sha256("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def error_class(symptom: Symptom) -> str:
    """The error lines of the log without what changes from run to run, else the headline's."""
    text = _ANSI.sub("", symptom.detail)
    # sorted: dbt's threads write in any order
    lines = sorted({normalised(match[0]) for match in _ERROR.finditer(text)})
    return "\n".join(lines) or normalised(symptom.headline)


def normalised(text: str) -> str:
    """The text in lower case without times, ids, numbers and folders."""
    text = _ANSI.sub("", text).casefold()
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text.strip()


def _error_kinds(text: str) -> Iterator[str]:
    return (normalised(match[1]) for match in _ERROR.finditer(_ANSI.sub("", text)))
