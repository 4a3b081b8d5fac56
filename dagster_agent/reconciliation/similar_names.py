"""How alike two names of tables or columns are, layers and plurals aside."""

from __future__ import annotations

import difflib
import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_LAYERS = frozenset(
    {"stg", "staging", "raw", "src", "source", "int", "fct", "fact", "dim", "mart", "base"}
)
_TAILS = frozenset({"id", "key", "ref", "nr", "no", "number", "reference", "code"})


def likeness(one: str, other: str) -> float:
    """Between 0 and 1: shared words, or letters where no word is shared.

    `fct_orders` and `ledger_order_lines` share `order`; `order_id` and `order_ref` are the same.
    """
    first, second = _words(one), _words(other)
    if not first or not second:
        return 0.0
    shared = first & second
    if shared:
        return 0.5 + 0.5 * len(shared) / len(first | second)
    letters = difflib.SequenceMatcher(None, "".join(sorted(first)), "".join(sorted(second))).ratio()
    return letters if letters >= 0.8 else letters / 2


def _words(name: str) -> frozenset[str]:
    words = [word.casefold() for word in _WORD.findall(name)]
    kept = [w for w in words if w not in _LAYERS and w not in _TAILS] or words
    return frozenset(_singular(word) for word in kept)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("ss", "us")) or len(word) <= 3:
        return word
    return word[:-1] if word.endswith("s") else word
