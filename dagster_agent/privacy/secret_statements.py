"""Secrets in code: calls, assignments to keys, Terraform variables, rows of an INSERT.

The first group of each pattern is what stands before the secret and stays.
"""

from __future__ import annotations

import re

from dagster_agent.privacy.secret_places import NAMED, OPEN, PLACEHOLDER

_STRING = rf"{OPEN}[^\"'\n]+"
_ENDS_NAMED = rf"[\w.-]{{0,100}}{NAMED}(?:\.[\w-]{{1,60}}(?:\.[\w-]{{1,60}}){{1,6}})?"
"""The key of a setting; `account.key.lake.dfs.core.windows.net` names its account at the end."""

_SETTER = re.compile(
    r"(?i)(\b(?:set|option|config|conf|put|add|setproperty|setdefault|setenv|putenv|setconf"
    rf"|with_?option|add_?header)\(\s*[\"']{_ENDS_NAMED}[\"']\s*,\s*[\"']){_STRING}"
)
_SUBSCRIPT = re.compile(rf"(?i)(\[[\"']{_ENDS_NAMED}[\"']\]\s*=\s*[\"']){_STRING}")
_PROPERTY = re.compile(
    rf"(?im)(^[ \t]*(?:--conf[ \t]+)?(?=[\w.-]{{0,100}}(?:{NAMED}|secret\.key))(?:[\w-]+\.)+[\w-]+"
    rf"[ \t]+){OPEN}(?=\S*(?:\d|(?-i:[A-Z])))[^\s=:\"'(]\S{{5,}}(?=[ \t]*$)"
)
_PAIR_ARGUMENT = re.compile(
    r"(\b(?:auth\s*=\s*|api_?key\s*=\s*|\w{0,20}[Bb]asic_?[Aa]uth)\(\s*([\"'])[^\"'\n]{0,200}\2"
    rf"\s*,\s*[\"']){_STRING}"
)
_PASSWORD_CALL = re.compile(r"(?i)(\bpassword\s*\(\s*')(?!\[redacted\])[^'\n]+")
_CIPHER_CALL = re.compile(
    r"(?i)(\b(?:pgp_sym_|aes_|try_)?(?:en|de)crypt\s*\([^()'\n]{1,200},\s*')(?!\[redacted\])[^'\n]+"
)
_TERRAFORM = re.compile(
    rf"(?i)(\bvariable\s+[\"']?[\w-]{{0,60}}{NAMED}[\"']?\s*\{{?[^{{}}]{{0,500}}?\bdefault\s*=?\s*\")"
    rf"{OPEN}[^\"\n]+"
)
_USER_PASSWORD = re.compile(
    r"(?i)(\b(?:create|alter)\s+(?:user|role|login)\b[^;\n]{0,200}?\bpassword\s+\")"
    r"(?!\[redacted\])[^\"\n]+"
)
_MARKED = (
    ("pass pwd secret token key", _SETTER),
    ("pass pwd secret token key", _SUBSCRIPT),
    ("pass pwd secret token key", _PROPERTY),
    ("auth api", _PAIR_ARGUMENT),
    ("password", _PASSWORD_CALL),
    ("crypt", _CIPHER_CALL),
    ("variable", _TERRAFORM),
    ("password", _USER_PASSWORD),
)
_HINTED = tuple((tuple(hints.split(" ")), pattern) for hints, pattern in _MARKED)

_INSERT = re.compile(
    r"(?i)\binsert\s+(?:overwrite\s+)?into\s+[^\s()]{1,200}\s*\(([^()]{1,2000})\)\s*values\s*"
)
_ROW = re.compile(
    r"\s*,?\s*\(((?:'(?:[^'\\\n]|\\.|''){0,2000}'|[^'()\n]|\([^()'\n]{0,200}\)){0,4000})\)"
)
_VALUE = re.compile(r"('(?:[^'\\]|\\.|'')*'|\([^()]*\)|[^',()]+)|,")
_SECRET_COLUMN = re.compile(rf"(?i)(?:\w*_)?(?P<sure>pass(?:word|wd|phrase)?|pwd|secret|{NAMED})")
_SURE = re.compile(r"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret)$")
_RANDOM = re.compile(r"(?=\S*\d)\S{8,}")


def clear_statements(text: str, mark: str) -> str:
    """The text with `mark` in place of every secret in code, SQL included."""
    lower = text.lower()
    for hints, pattern in _HINTED:
        if any(hint in lower for hint in hints):
            text = pattern.sub(lambda found: found[1] + mark, text)
    return _clear_rows(text, mark) if "insert" in lower else text


def _clear_rows(text: str, mark: str) -> str:
    """Quoted values of a column that is called `password`, `api_token` and the like."""
    pieces, done = list[str](), 0
    for header in _INSERT.finditer(text):
        columns = [name.strip(' \t\r\n"`[]') for name in header[1].split(",")]
        secret = {n for n, name in enumerate(columns) if _SECRET_COLUMN.fullmatch(name)}
        if not secret or header.end() < done:
            continue
        sure = {n for n in secret if _SURE.search(columns[n])}
        at = header.end()
        while row := _ROW.match(text, at):
            pieces += [text[done : row.start(1)], _row(row[1], secret, sure, mark)]
            done, at = row.end(1), row.end()
    return "".join([*pieces, text[done:]])


def _row(values: str, secret: set[int], sure: set[int], mark: str) -> str:
    place, pieces = 0, list[str]()
    for found in _VALUE.finditer(values):
        piece = found[0]
        if piece == ",":
            place += 1
        elif place in secret and piece.startswith("'") and _is_open(piece[1:-1], place in sure):
            piece = f"'{mark}'"
        pieces.append(piece)
    return "".join(pieces)


def _is_open(value: str, sure: bool) -> bool:
    if not value or re.match(PLACEHOLDER, value) or value.lower() == "[redacted]":
        return False
    return sure or _RANDOM.fullmatch(value) is not None
