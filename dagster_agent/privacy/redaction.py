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

from dagster_agent.privacy.secret_commands import clear_commands
from dagster_agent.privacy.secret_places import PLACEHOLDER, VALUE, clear_places
from dagster_agent.privacy.secret_statements import clear_statements
from dagster_agent.privacy.secret_tokens import clear_tokens

MARK = "[redacted]"
"""Stands where a secret stood."""
_SHORTEST = 6
"""A known value shorter than this is too likely part of an ordinary word."""

_ALWAYS = (
    r"pass(?:word|wd|phrase|wort)|pwd|kennwort|mot_?de_?passe|contrase[ñn]a|senha"
    r"|(?<=[_-])pass(?=[\"']?\s*[:=])|(?<![a-z])(?-i:pass)(?==(?!\d+\b))|passcode|jwt"
    r"|(?<=[a-z])(?<!by)(?<!com)(?<!sur)pass(?==)|secret(?:[._-]?(?:access[._-]?)?key(?:_base)?)?"
    r"|private[_-]?key(?:[_-]?id)?|(?:encryption|signing|master|shared)[_-]?key"
)
_LIKELY = (
    r"(?:auth[ _-]?)?token|api[ _-]?key|access[ _-]?key(?:[ _-]?id)?|account[ _-]?key|credentials?"
    r"|sharedaccess(?:key|signature)"
    r"|(?:app(?:lication)?|consumer|subscription|function|write|service|deploy|ssh|hmac|session|fernet"
    r"|licen[cs]e|routing|integration|ingestion|instrumentation|webhook)"
    r"[_-]?(?:key|secret)"
)
_STEMS = (
    "pass",
    "pwd",
    "wort",
    "jwt",
    "contrase",
    "senha",
    "secret",
    "key",
    "token",
    "cred",
    "shareda",
)
"""One of them is in every key: looking for them first spares most texts the pattern."""
_PAIR = re.compile(
    rf"(?i)(?P<key>{_ALWAYS}|(?P<likely>{_LIKELY}))"
    r"(?P<sep>[\"']?(?:\s*(?:=>|:=|[=:])\s*(?:[bnruf]{1,2}(?=[\"']))?)|[ ](?=\S))"
    r"(?:(?P<quote>[\"'])(?P<quoted>(?:\\.|(?P=quote){2}|(?!(?P=quote))[^\\\n])*)(?P=quote)"
    rf"|(?P<bare>\{{(?!\{{)[^{{}}\s]+\}}|[\"']?{VALUE}+))"
)
_NO_SECRET = re.compile(
    rf"(?i)(?:{PLACEHOLDER}|aws_iam_role=|(?:none|null|nil|true|false|str|string|text|varchar|bytes|required"
    r"|missing|optional|invalid|yes|no|not|is|in|as|and|or|for|from)(?![\w-])|\w+(?:\.\w+)*[(\[]|\($"
    r"|[a-z_]\w*\.[a-z_]\w*$|$)"
)
_NEAR, _FAR = 60, 2000
"""How many signs before a key are looked at: for a word of SQL, for the start of the query."""
_MARKED = re.compile(r"\[[A-Z_ *]{4,20}\]|\*+")
"""Somebody else's mark."""
_IN_URL = re.compile(r"://[^\s/@]*$")
_COMPLAINT = re.compile(r"(?i)\b(?:unexpected|input|near|at|invalid|unknown|bad|missing)\s+$")
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
    text = clear_tokens(text, MARK)
    text = clear_places(text, MARK)
    text = clear_commands(text, MARK)
    text = clear_statements(text, MARK)
    lower = text.lower()
    return _PAIR.sub(_pair, text) if any(stem in lower for stem in _STEMS) else text


def _pair(found: re.Match[str]) -> str:
    """The match with its value marked, or untouched where it holds no secret."""
    quoted, bare = found["quoted"], found["bare"]
    value = quoted if quoted is not None else bare.lstrip("\"'")
    before = found.string[max(0, found.start() - _NEAR) : found.start()]
    if _NO_SECRET.match(value) or (_SQL_BEFORE.search(before) and _in_query(found)):
        return found[0]
    if _MARKED.fullmatch(value) or (value.startswith(f"{MARK}@") and _IN_URL.search(before)):
        return found[0]
    if found["sep"] == " " and (
        not (_FLAG.search(before) or found["quote"] == "'") or _COMPLAINT.search(before)
    ):
        return found[0]
    if found["likely"] and quoted is None and not _looks_secret(value, found["sep"]):
        return found[0]
    mark = f"{found['quote']}{MARK}{found['quote']}" if quoted is not None else MARK
    return f"{found['key']}{found['sep']}{mark}"


def _in_query(found: re.Match[str]) -> bool:
    return (
        _SQL_EARLIER.search(found.string, max(0, found.start() - _FAR), found.start()) is not None
    )


def _looks_secret(value: str, separator: str) -> bool:
    """`token=abc` is a setting, `invalid token: FROM` is prose."""
    if separator in {"=", " "} or value.startswith(MARK):
        return True
    return len(value) >= 8 and any(sign.isdigit() for sign in value)
