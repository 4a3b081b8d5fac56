"""Places where a secret stands, whatever it looks like.

The first group of each pattern is what stands before the secret and stays.
"""

from __future__ import annotations

import base64
import binascii
import re

PLACEHOLDER = (
    r"\{\{|\$\{\{|\$\{?\w|\$\(|%\(|%s|%[A-Za-z_]\w*%(?![0-9A-Fa-f]{2})|<\w|<[^<>\n]{1,40}>"
    r"|\*{3}|x{6,}|\?|:\w+\b"
)
"""What stands in for a secret that is somewhere else."""
VALUE = r"(?:\[redacted\]|[^\s,;&)\]}\"'\\])"
"""One sign of a secret that is not quoted."""
NAMED = (
    r"(?:pass(?:word|wd|phrase)|(?<=[_.-])pass(?![a-z])|pwd|secret|token"
    r"|(?:api|access|account|private|encryption|signing|master|fernet|licen[cs]e|routing)[._-]?key)"
)
"""A word that says that its value is secret, in any spelling of a setting."""
_NO_SETTING = (
    r"(?![\w.-]{0,20}(?:arn|dir|endpoint|file|header|id|length|name|path|policy|ref|ttl|type|uri|url"
    r"|version)(?![a-z]))"
)
"""`SECRET_NAME`, `TOKEN_URL`: about a secret, and none."""
OPEN = rf"(?!{PLACEHOLDER}|\[redacted\])"
QUOTED = r"'[^'\n]+'|\"[^\"\n]+\""

_URL = re.compile(
    rf"([a-zA-Z][\w+.-]{{0,30}}://[^\s:/@'\"]{{0,200}}:)(?!{PLACEHOLDER})([^\s/'\"<>]+)(?=@)"
)
_PARAMETER = re.compile(
    rf"(?i)([?&](?:sig|x-(?:amz|goog)-\w+|signature|[\w-]{{0,30}}{NAMED})=)"
    rf"(?!{PLACEHOLDER}){VALUE}+"
)
_OPAQUE = re.compile(
    r"([?&](?:appid|app_key|code|key|auth|sid|assertion|ticket)=)"
    r"(?=[\w~%-]*\d)(?=[\w~%-]*[A-Za-z])(?:[0-9a-f]{20,}|(?=[\w~%-]*[A-Z])[\w~%-]{16,})"
    r"(?=[&#\s\"'<>),;]|$)"
)
_AUTHORIZATION = re.compile(
    rf"(?i)(\bauthorization\b\\?[\"']?\s*[:=]\s*\\?[\"']?(?:\w+\s+)?"
    r"|\bbearer\s+(?=[\w.~+/=-]{12})"
    r"|\bbasic\s+(?=[A-Za-z0-9+/]{8})(?=[A-Za-z0-9+/]*(?-i:[A-Z]))(?=[A-Za-z0-9+/]*[0-9=]))"
    rf"(?!{PLACEHOLDER}|\w+\s){VALUE}+"
)
_HEADER = re.compile(
    r"(?i)(\b(?:x-[\w-]{0,30}(?:key|token|secret|auth)|ocp-apim-subscription-key|private-token"
    rf"|job-token|api-key)\\?[\"']?\s*:\s*\\?[\"']?){OPEN}{VALUE}+"
)
_COOKIES = re.compile(
    r"(?i)(\b(?P<set>set-)?cookie\\?[\"']?\s*[:=]\s*\\?[\"']?|\s(?:-b|--cookie)[ =][\"']?)"
    r"(?P<pairs>[\w.%-]{1,100}=[^\n\"'\\]+)"
)
_COOKIE = re.compile(r"([\w.%-]{1,100}=)(?P<value>[^;\s]+)")
_LOGIN_COOKIE = re.compile(r"(?i)sess|sid|token|auth|csrf|jwt|key|secret|login|user|pass|id=$")
_PLAIN = re.compile(r"[A-Za-z]{1,8}|[a-z]{2}[-_][A-Z]{2}|\d{1,4}")
_NETRC = re.compile(rf"(?i)(\blogin\s+\S{{1,200}}\s+password\s+){OPEN}\S+")
_IDENTIFIED = re.compile(
    r"(?i)(\bidentified\s+(?:with\s+\S{1,60}\s+)?by\s+(?:password\s+|values\s+)?)"
    rf"{OPEN}({QUOTED})"
)
_IDENTIFIED_BARE = re.compile(
    r"(?i)(\b(?:create|alter)\s+(?:user|role)\s+\S{1,200}\s+identified\s+by\s+)"
    rf"{OPEN}[^\s;'\"]+"
)
_ELEMENT = re.compile(
    rf"(?i)(<[\w:.-]{{0,40}}{NAMED}(?:\s[^<>]{{0,200}})?>\s*){OPEN}[^<>\s][^<>]*(?=</)"
)
_ATTRIBUTE = re.compile(
    rf"(?i)((?:key|name)=([\"'])[\w.:-]{{0,60}}{NAMED}\2\s+value=([\"'])){OPEN}"
    r"[^\"'\n]+(?=\3)"
)
_ESCAPED = re.compile(
    rf"(?i)({NAMED}[\w-]{{0,20}}\\+[\"']\s*[:=]\s*\\+[\"'])(?!{PLACEHOLDER})"
    r"(?:(?!\\+[\"'])[^\n])+"
)
_NAMED_ELEMENT = re.compile(
    rf"(?i)(<name>\s*[\w.-]{{0,100}}{NAMED}[\w.-]{{0,80}}\s*</name>\s*<value>\s*){OPEN}[^<>]+"
)
_USER_INFO = re.compile(
    rf"(?i)(\buser[._-]info[\"']?\s*[=:]\s*[\"']?){OPEN}(?!\s)[^\s\"',;:]{{1,200}}:[^\s\"',;]+"
)
_PASS_LINE = re.compile(
    rf"(?m)(^[ \t]*(?:-[ \t]+)?pass:[ \t]+[\"']?){OPEN}(?!\d+[ \t]*$|(?:true|false|null|yes|no)\b)"
    r"[^\s\"']+(?=[\"']?[ \t]*(?:#.*)?$)"
)
_PASS_KEY = re.compile(rf"([\"']pass[\"']\s*:\s*[\"'])(?!pass|fail|ok\b|skip){OPEN}[^\"'\n]+")
_ENVIRONMENT = re.compile(
    r"(?m)((?:^|[\s\"'])(?:[A-Z][A-Z0-9]*_)*(?!(?:SURROGATE|PARTITION|PRIMARY|FOREIGN|SORT|CACHE|DIST"
    r"|UNIQUE|PUBLIC|ROW|OBJECT|S3|HASH|CLUSTER|JOIN|BUSINESS|NATURAL|GROUP|LOCK)_)[A-Z0-9]+_KEY"
    rf"[\"']?(?:=|:[ \t]+)[\"']?){OPEN}(?=[^\s\"']*\d)(?=[^\s\"']*[A-Za-z])[\w+/~-]{{20,}}={{0,2}}"
    r"(?=[\s\"',;]|$)"
)
_USING = re.compile(
    r"(?i)(\b(?:using|with|and)\s+pass(?:word|phrase)\s+\")(?!\[redacted\])[^\"\n]+"
)
_PROMPT = re.compile(
    r"(?i)(\bpass(?:word|phrase|code)\s+(?:for|of)\s+(?:user\s+)?[\"'`]?[\w.@\\/-]{1,100}[\"'`]?"
    rf"(?:\s*[:=]|\s+is|\s+was)\s+[\"'`]?){OPEN}(?=[^\s\"'`]*[\d!#$%&*_])[^\s\"'`]{{4,}}"
)
_SPOKEN = re.compile(
    r"(?i)(\bpass(?:word|phrase)\s+(?:is|was)[: ]\s*[\"'`]?)(?=\w*\d)(?=\w*[a-z])[^\s\"'`]{6,}"
)
_BASIC_JSON = re.compile(r"(?i)([\"']_?auth[\"']\s*:\s*[\"'])([A-Za-z0-9+/]{8,}={0,2})(?=[\"'])")
_NPM = re.compile(rf"(\b_auth(?:Token)?\s*=\s*[\"']?){OPEN}[^\s\"']+")

_USER_TOKEN = re.compile(r"(://)(?=[\w.~-]*\d)[\w.~-]{20,200}(?=@)")
_SLASHED = re.compile(
    rf"(://[^\s:/@'\"]{{1,100}}:)(?!\d+/|{PLACEHOLDER})[^\s'\"<>@]{{0,100}}/[^\s'\"<>@]{{0,100}}"
    r"(?=@[\w.-]{1,200}[:/])"
)
_BARE_DSN = re.compile(
    rf"((?<![\w/@:.])(?!mailto:)[\w.-]{{1,60}}:){OPEN}[^\s:@/'\"]{{3,100}}"
    r"(?=@(?:tcp|unix)\(|@[\w.-]{1,100}:\d{2,5}/)"
)
_ORACLE = re.compile(rf"(?i)(jdbc:oracle:\w+:\w{{1,60}}/){OPEN}[^@\s]{{1,100}}(?=@)")
_ENCODED = re.compile(
    r"(?i)((?:pwd|password|accountkey|sharedaccesskey)%3D)(?:(?!%3B|%26)[^\s&'\"])+"
)
_DOCKER_ENV = re.compile(
    rf"(?im)(^[ \t]*(?:ENV|ARG)[ \t]+\w{{0,60}}{NAMED}{_NO_SETTING}\w{{0,20}}[ \t]+){OPEN}\S.*"
)
_PGPASS = re.compile(
    rf"(?m)(^[\w.*-]{{1,200}}:(?:\d{{2,5}}|\*):[\w*-]{{1,100}}:[\w.*@-]{{1,100}}:){OPEN}\S+$"
)
_LINKED = re.compile(rf"(?i)(\bconnect\s+to\s+\S{{1,100}}\s+identified\s+by\s+){OPEN}[^\s;'\"]+")
_DIGEST = re.compile(r"(?i)(\bsig(?:nature)?=)(?:[0-9a-f]{32,}|[\w%+/-]{20,}={0,2})")
_SET_KEY = re.compile(
    rf"(?i)(\bset\s+[\w.-]{{0,60}}(?:secret_access_key|session_token)\s+){OPEN}\S+"
)
_BLOCK = re.compile(
    rf"(?im)(^[ \t]*[\w.-]{{0,60}}{NAMED}{_NO_SETTING}[\w-]{{0,20}}[ \t]*:"
    r"[ \t]*[|>][+-]?[ \t]*\n[ \t]+)"
    rf"{OPEN}\S.*"
)
_LINE = re.compile(
    rf"(?im)(^[ \t]*(?:export[ \t]+|-[ \t]+)?[\w.-]{{0,60}}(?:pass(?:word|wd|phrase)?|pwd|secret)"
    rf"[ \t]*[:=][ \t]*)(?!{PLACEHOLDER}|\w+(?:\.\w+)*[(\[]|\[redacted\]$)"
    r"(?=[^\s\"']*[,)&}\]][^\s\"'])[^\s\"'=(]{4,}(?=[ \t]*$)"
)
_SAID = re.compile(
    r"(?i)(\bpass(?:word|phrase|code)\s+[\"'`]?)(?!(?:oauth|sha|md|base|utf|argon|pbkdf|v)-?\d)"
    r"(?=[a-z!@#$%^&*][^\s\"'`(]*\d)[^\s\"'`,;:()]{6,}(?!\()"
)

_TOLD = re.compile(
    r"(?i)(\b(?:api|access|auth|bearer|bot|refresh|session|secret|account|client|service)[ _-]"
    r"(?:token|key|secret)\s+(?:is\s+|was\s+)?[\"'`]?)(?=[\w.+/=~-]*\d)(?=[\w.+/=~-]*[a-z])"
    r"[\w.+/=~-]{16,}"
)
_NAME_VALUE = re.compile(
    rf"(?i)(\bname[\"']?\s*:\s*[\"']?[\w.-]{{0,60}}{NAMED}{_NO_SETTING}[\w.-]{{0,20}}"
    rf"[\"']?,?\s*"
    rf"[\"']?value[\"']?\s*:\s*[\"']?){OPEN}(?!(?:true|false|null|none)\b)[^\s\"'][^\n\"']*"
)

_MARKED = (
    ("://", _URL),
    ("=", _PARAMETER),
    ("?appid= &appid= app_key= code= key= auth= sid= assertion= ticket=", _OPAQUE),
    ("authorization bearer basic", _AUTHORIZATION),
    ("x- ocp-apim private-token job-token api-key", _HEADER),
    ("login", _NETRC),
    ("identified", _IDENTIFIED),
    ("identified", _IDENTIFIED_BARE),
    ("</", _ELEMENT),
    ("value=", _ATTRIBUTE),
    ("\\\" \\'", _ESCAPED),
    ("</name>", _NAMED_ELEMENT),
    ("info", _USER_INFO),
    ("pass:", _PASS_LINE),
    ("pass\" pass'", _PASS_KEY),
    ("_key", _ENVIRONMENT),
    ("password passphrase", _USING),
    ("pass", _PROMPT),
    ("pass", _SPOKEN),
    ("_auth", _NPM),
    ("://", _USER_TOKEN),
    ("://", _SLASHED),
    ("@", _BARE_DSN),
    ("jdbc:oracle", _ORACLE),
    ("%3d", _ENCODED),
    ("env arg", _DOCKER_ENV),
    (":", _PGPASS),
    ("identified", _LINKED),
    ("sig", _DIGEST),
    ("_key session_token", _SET_KEY),
    ("pass pwd secret token key", _BLOCK),
    ("pass pwd secret", _LINE),
    ("pass", _SAID),
    ("token key secret", _TOLD),
    ("value", _NAME_VALUE),
)
_HINTED = tuple((tuple(hints.split(" ")), pattern) for hints, pattern in _MARKED)


def clear_places(text: str, mark: str) -> str:
    """The text with `mark` in all places. As with tokens, a look for a fixed part comes first."""
    lower = text.lower()
    for hints, pattern in _HINTED:
        if any(hint in lower for hint in hints):
            text = pattern.sub(lambda found: found[1] + mark, text)
    text = _COOKIES.sub(lambda found: _cleared(found, mark), text)
    if "auth" not in lower:
        return text
    return _BASIC_JSON.sub(
        lambda found: found[1] + (mark if _is_basic(found[2]) else found[2]), text
    )


def _cleared(cookies: re.Match[str], mark: str) -> str:
    """Cookies without their values, but for settings; attributes of one that is set stay too."""
    only = 1 if cookies["set"] else 0
    pairs = _COOKIE.sub(
        lambda pair: pair[0] if _is_setting(pair) else pair[1] + mark, cookies["pairs"], count=only
    )
    return cookies[1] + pairs


def _is_setting(cookie: re.Match[str]) -> bool:
    """`theme=dark`: a plain word under a name that promises no login."""
    return not _LOGIN_COOKIE.search(cookie[1]) and _PLAIN.fullmatch(cookie["value"]) is not None


def _is_basic(value: str) -> bool:
    """Whether it is a user and password in base64, as in Docker's configuration."""
    mixed = value != value.lower() and value != value.upper()
    if mixed and len(value) >= 12 and len(value) % 4 == 0:
        return True
    try:
        return b":" in base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
