"""Text from outside in what people read: it can be seen, and it can do nothing.

Commit subjects, log lines, names and data are written by anybody. On a code host they could mention
people, close issues, show images or hide a link; in a terminal, reorder what is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from dagster_agent.privacy.redaction import redact

_STOP = "\u200b"
"""Zero-width space: parts `@` from a name or `#` from a number, and shows nothing."""

_CODE_SPAN = re.compile(r"`([^`]+)`")
_REFERENCE = re.compile(r"@(?=\w)|#(?=\d)|(?<=GH)-(?=\d)|:(?=//)|(?<=www)\.", re.I)
_MARKUP = re.compile(r"[\\`*\[\]~|]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK_START = re.compile(r"(?=[#+=-])|(?<=\d)(?=[.)])")
_PLAIN = (
    (re.compile(r"\w*:+/{2,}"), ""),
    (re.compile(r"@(?=\w)"), "(at)"),
    (re.compile(r"(?<=\w)#(?=\d)"), " no. "),
    (re.compile(r"#(?=\d)"), "no. "),
    (re.compile(r"GH-(?=\d)", re.I), "GH "),
)


class Quoter:
    """Redacts and defuses text.

    Args:
        secrets: Values known to be secret, beside what is recognised by its form.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)

    def plain(self, text: str) -> str:
        """One line for titles and commit messages, where no escape would be understood."""
        text = self._line(text)
        for pattern, replacement in _PLAIN:
            text = pattern.sub(replacement, text)
        return text

    def prose(self, text: str) -> str:
        """One line of Markdown in which `code spans` stay and all else is literal."""
        # every second part is the inside of a code span
        parts = _CODE_SPAN.split(self._line(text))
        quoted = [f"`{p}`" if n % 2 else _literal(p) for n, p in enumerate(parts)]
        line = "".join(quoted)
        return _BLOCK_START.sub(r"\\", line, count=1) if _starts_block(line) else line

    def cell(self, text: str) -> str:
        """As `prose`, for a table: a bar inside a code span would end the cell."""
        parts = _CODE_SPAN.split(self.prose(text))
        return "".join(
            "`" + p.replace("|", r"\|") + "`" if n % 2 else p for n, p in enumerate(parts)
        )

    def code(self, text: str) -> str:
        """A code span, safe in a table."""
        return "`" + self._line(text).replace("`", "'").replace("|", r"\|") + "`"

    def fenced(self, text: str, language: str = "") -> str:
        """A block of code that its content cannot end."""
        text = redact(text, secrets=self._secrets)
        lines = ["".join(map(_visible, line)) for line in text.replace("\r\n", "\n").split("\n")]
        longest = max(map(len, re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        return "\n".join([fence + language, *lines, fence])

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """A Markdown table of cells that are quoted already."""
        lines = [header, ["---"] * len(header), *rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def _line(self, text: str) -> str:
        spaced = " ".join(redact(text, secrets=self._secrets).split())
        return "".join(sign for sign in spaced if not _hidden(sign))


def _literal(text: str) -> str:
    # references first: an escape between `@` and `_` is gone once it is rendered
    text = _REFERENCE.sub(_parted, text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)


def _parted(found: re.Match[str]) -> str:
    return f"{found[0]}{_STOP}"


def _starts_block(line: str) -> bool:
    """The line would be a heading, a list item or a rule."""
    return re.match(r"#|[+=-]|\d+[.)](?:\s|$)", line) is not None


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _visible(sign: str) -> str:
    """What hides in code is shown by its number: it must not look like other code."""
    return f"<U+{ord(sign):04X}>" if _hidden(sign) and sign != "\t" else sign
