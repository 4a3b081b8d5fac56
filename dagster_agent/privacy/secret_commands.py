"""Secrets on command lines: flags and words of programs that take one.

The first group of each pattern is what stands before the secret and stays.
"""

from __future__ import annotations

import re

from dagster_agent.privacy.secret_places import OPEN, PLACEHOLDER, QUOTED

_LOGINS = (
    r"sshpass|mongo\w*|snowsql|(?:docker|podman|oc|az|nerdctl|helm\s+registry|skopeo|crane|oras)"
    r"\s+login"
)
_SECRET = rf"{OPEN}({QUOTED}|[^\s'\"-]\S*)"

_LOGIN = re.compile(rf"(\b(?:{_LOGINS})\b[^\n|;&]{{0,120}}?\s-p\s*){_SECRET}")
_GLUED = re.compile(
    rf"(\b(?:mysql|mariadb)[\w-]*\s(?:[^\n|;&]{{0,120}}?\s)?-p){OPEN}({QUOTED}|[^\s'\"-]\S*)"
)
_REDIS = re.compile(rf"(\bredis-cli\b[^\n|;&]{{0,120}}?\s-a\s*){_SECRET}")
_REDIS_SETTING = re.compile(
    rf"(?im)((?:--|^[ \t]*)(?:requirepass|masterauth)[ \t=]+){OPEN}({QUOTED}|[^\s'\"]+)"
)
_CLOUD_KEY = re.compile(rf"(\bprefect\b[^\n|;&]{{0,120}}?\s(?:-k|--key)[ =]){_SECRET}")
_QUOTED_FLAG = re.compile(rf"((?<=\s)-p)({QUOTED})")
_SQLCMD = re.compile(
    rf"(\b(?:sqlcmd|bcp|isql|osql)\b[^\n|;&]{{0,120}}?\s-P\s*){OPEN}({QUOTED}|\S+)"
)
_USER_FLAG = re.compile(
    rf"(\s(?:-u|--user|--proxy-user)[ =]?[\"']?[\w.@+-]{{1,100}}:)(?!\d+\b){OPEN}[^\s\"']+"
)
_SQLPLUS = re.compile(
    r"(\b(?:sqlplus|expdp|impdp|sqlldr|rman)\s+(?:-\w+\s+|target\s+){0,2}[A-Za-z]\w{0,60}/)"
    rf"{OPEN}[^\s@/]+(?=@|\s|$)"
)
_SHORT_FLAG = re.compile(
    rf"(?i)(\s-{{1,2}}(?:pass|passwd|pw|storepass|keypass|srcstorepass|account-key|auth|sas-token)"
    rf"[ =])(?!-){OPEN}({QUOTED}|[^\s'\"]+)"
)
_PASSIN = re.compile(rf"(-(?:pass(?:in|out)?|k)\s+pass:){OPEN}\S+")
_SECURE_STRING = re.compile(
    r"(?i)(\bConvertTo-SecureString\s+(?:-String\s+)?[\"'])(?!\[redacted\])[^\"'\n]+"
)
_NET_USE = re.compile(
    rf"(?i)(\bnet\s+use\b[^\n]{{0,200}}?\s/u(?:ser)?:\S{{1,100}}\s+){OPEN}(?![/\\])\S+"
)
_NET_USE_FIRST = re.compile(
    rf"(?i)(\bnet\s+use\s[^\n]{{0,100}}?\\\\\S{{1,200}}\s+){OPEN}(?![/\\])\S+(?=\s+/u(?:ser)?:)"
)
_PIPED = re.compile(
    rf"(\b(?:echo|printf)\s+(?:-n\s+)?(?:[\"']?%s(?:\\n)?[\"']?\s+)?){OPEN}"
    rf"(?:'(?!{PLACEHOLDER})[^'\n]{{1,500}}'|\"(?!{PLACEHOLDER})[^\"\n]{{1,500}}\""
    r"|[^\s'\"|]{1,500})(?=\s*\|[^\n]{0,200}(?:-stdin\b|--with-token|\bchpasswd\b|\bsudo\s+-S))"
)

_MARKED = (
    ("sshpass mongo snowsql login", _LOGIN),
    ("mysql mariadb", _GLUED),
    ("redis-cli", _REDIS),
    ("requirepass masterauth", _REDIS_SETTING),
    ("prefect", _CLOUD_KEY),
    ("-p' -p\"", _QUOTED_FLAG),
    ("sqlcmd bcp isql osql", _SQLCMD),
    ("-u --user --proxy-user", _USER_FLAG),
    ("sqlplus expdp impdp sqlldr rman", _SQLPLUS),
    ("-pass -pw -storepass -keypass -srcstorepass -account-key -auth -sas-token", _SHORT_FLAG),
    ("pass:", _PASSIN),
    ("securestring", _SECURE_STRING),
    ("/u", _NET_USE),
    ("/u", _NET_USE_FIRST),
    ("echo printf", _PIPED),
)
_HINTED = tuple((tuple(hints.split(" ")), pattern) for hints, pattern in _MARKED)


def clear_commands(text: str, mark: str) -> str:
    """The text with `mark` in place of every secret that a program is given."""
    lower = text.lower()
    for hints, pattern in _HINTED:
        if any(hint in lower for hint in hints):
            text = pattern.sub(lambda found: found[1] + mark, text)
    return text
