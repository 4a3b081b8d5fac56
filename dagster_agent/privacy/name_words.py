"""Names of columns and tables as words: `customerEmail` and `CUSTOMER_EMAIL` alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "þ": "th"}
)
_SHORTEST_PART = 2


def lexicon(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def words(name: str) -> tuple[str, ...]:
    """The words in lower case, without accents and numbers; `ß` becomes `ss`."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(word.lower() for word in _WORD.findall(bare) if not word.isdigit())


def split_words(name: str, known: Collection[str]) -> tuple[str, ...]:
    """As `words`; a word that is several known ones written together is taken apart."""
    vocabulary = frozenset(known)
    return tuple(part for word in words(name) for part in _apart(word, vocabulary))


@lru_cache(maxsize=20_000)
def _apart(word: str, known: frozenset[str]) -> tuple[str, ...]:
    if word in known or len(word) > 60:
        return (word,)
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(_SHORTEST_PART, len(word) + 1):
        found = [
            (*best[start], word[start:end])
            for start in range(end - 1)
            if start in best and word[start:end] in known
        ]
        if found:
            best[end] = min(found, key=len)  # the longest words mean the most
    return best.get(len(word), (word,))
