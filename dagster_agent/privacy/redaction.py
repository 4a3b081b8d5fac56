"""Secrets out of text: logs, errors, prompts, pull request bodies, metadata.

Three layers, most certain first: values that are known to be secret, tokens with a recognisable
form, and whatever stands where a secret stands (`password=...`, `user:...@host`,
`Authorization: ...`). No entropy guessing: it flags every commit id and most SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import quote

MARK = "[redacted]"
"""Stands where a secret stood."""
_SHORTEST = 6
"""A known value shorter than this is too likely part of an ordinary word."""

_TOKENS = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b",  # AWS
            r"\bgh[pousr]_[A-Za-z0-9]{20,}",
            r"\bgithub_pat_\w{20,}",
            r"\bgl(?:pat|ptt|dt|rt|cbt|soat)-[\w-]{16,}",
            r"\bxox[abeoprs]-[\w-]{10,}",  # Slack
            r"(?<=hooks\.slack\.com/services/)[\w/]{10,}",
            r"\bsk-(?:ant|proj|svcacct)-[\w-]{16,}",
            r"\bsk-[A-Za-z0-9]{32,}",
            r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
            r"\bAIza[\w-]{35,}",  # Google
            r"\bya29\.[\w-]{20,}",
            r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",  # JSON web tokens
            r"\bver:\d+-hint:\d+-[\w+/=-]{16,}",  # Snowflake sessions
            r"\bdapi[0-9a-f]{32}(?:-\d)?",  # Databricks
            r"\bdbt[csu]_[\w-]{20,}",
            r"\b(?:hf|npm)_[A-Za-z0-9]{30,}",
            r"\bpypi-[\w-]{40,}",
            r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
        )
    )
)
_PLACEHOLDER = r"\{\{|\$\{?\w|\$\(|%\(|%s|<\w|\*{3}|\?|:\w+\b"
_VALUE = r"(?:\[redacted\]|[^\s,;&)\]}\"'])"
_URL = re.compile(
    rf"([a-zA-Z][\w+.-]{{0,30}}://[^\s:/@'\"]{{0,200}}:)(?!{_PLACEHOLDER})([^\s/'\"<>]+)(?=@)"
)
_HEADER = re.compile(
    rf"(?i)(\bauthorization\b[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?|\bbearer\s+(?=[\w.~+/=-]{{16}}))"
    rf"(?!{_PLACEHOLDER}|\w+\s){_VALUE}+"
)
_SIGNATURE = re.compile(rf"(?i)([?&](?:sig|x-amz-\w+|signature)=){_VALUE}+")
_ALWAYS = r"pass(?:word|wd|phrase)|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|private[_-]?key"
_LIKELY = r"(?:auth[_-]?)?token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|credentials?"
_PAIR = re.compile(
    rf"(?i)(?P<key>{_ALWAYS}|(?P<likely>{_LIKELY}))"
    r"(?P<sep>[\"']?(?:\s*(?:=>|[=:])\s*)|[ ](?=\S))"
    r"(?:(?P<quote>[\"'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\n])*)(?P=quote)"
    rf"|(?P<bare>[\"']?{_VALUE}+))"
)
_NO_SECRET = re.compile(
    rf"(?i)(?:{_PLACEHOLDER}|(?:none|null|nil|true|false|str|string|text|varchar|bytes|required"
    r"|missing|optional|invalid|not|is|in|as|and|or|for|from)(?![\w-])|\w+(?:\.\w+)*[(\[]"
    r"|[a-z_]\w*\.[a-z_]\w*$|$)"
)
_FLAG = re.compile(r"--[\w-]*$")
_SQL_BEFORE = re.compile(
    r"(?is)\b(?:where|and|or|on|when|having|not|by|select|qualify)\s+[\w.\"]*$"
)
_SQL_EARLIER = re.compile(
    r"(?is)\b(?:select\s.*\sfrom|update\s+\S+\s+set|delete\s+from|merge\s+into|case\s+when)\s"
)


def redact(text: str, *, secrets: Sequence[str] = ()) -> str:
    """The text without secrets. Redacting twice changes nothing more.

    Commit ids, UUIDs, SQL and references such as `{{ env_var('X') }}` or `${X}` stay as they are.

    Args:
        text: Anything that may leave.
        secrets: Values known to be secret; see `known_secrets`.
    """
    known = _known(secrets)
    while (cleaned := _once(text, known)) != text:  # each round leaves less that is no mark
        text = cleaned
    return text


def known_secrets(
    environment: Mapping[str, str], output: Mapping[str, object] | None = None
) -> tuple[str, ...]:
    """Values that must never be shown: of secret variables, and of a dbt target's secret keys.

    Args:
        environment: `os.environ` or the like; a name that says secret, token, password or key
            counts, `DBT_ENV_SECRET_*` above all.
        output: The rendered target of profiles.yml.
    """
    found = {value for name, value in environment.items() if _names_secret(name)}
    found.update(_secrets_of(output or {}))
    return tuple(sorted(value for value in found if len(value) >= _SHORTEST))


def _secrets_of(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _secrets_of(cast("Mapping[str, object]", value))
        elif isinstance(value, list):
            for entry in cast("list[object]", value):
                if isinstance(entry, Mapping):
                    yield from _secrets_of(cast("Mapping[str, object]", entry))
        elif isinstance(value, str) and _names_secret(name):
            yield value


def _names_secret(name: str) -> bool:
    return re.search(rf"(?i)dbt_env_secret_|(?:^|[_-])(?:{_ALWAYS}|{_LIKELY})$", name) is not None


def _known(secrets: Sequence[str]) -> re.Pattern[str] | None:
    spelled = {form for value in secrets for form in (value, quote(value, safe=""))}
    usable = [form for form in spelled if len(form) >= _SHORTEST and form not in MARK]
    if not usable:
        return None
    return re.compile(
        "|".join(re.escape(form) for form in sorted(usable, key=lambda f: (-len(f), f)))
    )


def _once(text: str, known: re.Pattern[str] | None) -> str:
    if known is not None:
        text = known.sub(MARK, text)
    text = _TOKENS.sub(MARK, text)
    text = _URL.sub(rf"\1{MARK}", text)
    text = _HEADER.sub(rf"\1{MARK}", text)
    text = _SIGNATURE.sub(rf"\1{MARK}", text)
    return _PAIR.sub(_pair, text)


def _pair(found: re.Match[str]) -> str:
    """The match with its value marked, or untouched where it holds no secret."""
    quoted, bare = found["quoted"], found["bare"]
    value = quoted if quoted is not None else bare.lstrip("\"'")
    before = found.string[max(0, found.start() - 2000) : found.start()]
    if _NO_SECRET.match(value) or (_SQL_BEFORE.search(before) and _SQL_EARLIER.search(before)):
        return found[0]
    if found["sep"] == " " and not (_FLAG.search(before) or found["quote"] == "'"):
        return found[0]
    if found["likely"] and quoted is None and not _looks_secret(value, found["sep"]):
        return found[0]
    mark = f"{found['quote']}{MARK}{found['quote']}" if quoted is not None else MARK
    return f"{found['key']}{found['sep']}{mark}"


def _looks_secret(value: str, separator: str) -> bool:
    """`token=abc` is a setting, `invalid token: FROM` is prose."""
    if separator in {"=", " "} or value.startswith(MARK):
        return True
    return len(value) >= 8 and any(sign.isdigit() for sign in value)
