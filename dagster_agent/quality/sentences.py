"""From a plain sentence to an invariant: each form knows its own, nothing is guessed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dagster_agent.errors import ConfigError
from dagster_agent.quality.invariant import InvariantForm
from dagster_agent.quality.table import PromisedTable

_FILLERS = frozenset(
    """
    a all an any each every in it its of our row rows table the these this
    """.split()  # noqa: SIM905 - one line is easier to review than a tower of words
)
_LAYERS: Mapping[str, str] = {"staging": "stg", "fact": "fct", "dimension": "dim"}


def read_sentence(
    text: str, table: PromisedTable, forms: Iterable[InvariantForm]
) -> tuple[InvariantForm, Mapping[str, Any]]:
    """The form of a sentence and its arguments.

    Raises:
        ConfigError: No form understands it (the nearest one's example is named), or it speaks of
            something that is neither the asset nor a column of it.
    """
    known = [form for form in forms if form.sentences]
    sentence = re.sub(r"\s+", " ", text).strip().rstrip(".")
    for form in known:
        for pattern in form.sentences:
            match = pattern.fullmatch(sentence)
            if match is not None:
                given = {k: v for k, v in match.groupdict().items() if v is not None}
                return form, _about(given, form, table, sentence)
    raise ConfigError(
        f"the invariant {text!r} of {table.asset.name} is not understood",
        hint=f"say it as in `{_nearest(sentence, table, known)}`, or write it as yml or `sql:`",
    )


def _about(
    given: dict[str, Any], form: InvariantForm, table: PromisedTable, sentence: str
) -> Mapping[str, Any]:
    """The arguments without the subject, which must mean the asset or what is measured of it."""
    subject = given.pop("subject", None)
    if subject is None or _means(subject, table):
        return given
    column = table.schema.column(subject)
    if column is not None and "of" in form.arguments and "of" not in given:
        return {**given, "of": column.name}
    raise ConfigError(
        f"{subject!r} in the invariant {sentence!r} is neither {table.asset.name} nor a column",
        hint=f"begin with `rows` where all rows of {table.asset.name} are meant, name a condition"
        " in `where:`, or declare it on the other asset",
    )


def _means(subject: str, table: PromisedTable) -> bool:
    """Whether the words are the asset's own name, in singular or plural, with or without layer."""
    named = {_stem(word) for word in re.split(r"[_\W]+", table.asset.name.casefold())}
    words = {word for word in re.split(r"[_\W]+", subject.casefold()) if word}
    return all(_stem(_LAYERS.get(word, word)) in named for word in words - _FILLERS)


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in re.split(r"[_\W]+", text.casefold()) if word}


def _stem(word: str) -> str:
    return word.removesuffix("s")


def _nearest(sentence: str, table: PromisedTable, forms: Iterable[InvariantForm]) -> str:
    """The example that shares most words with the sentence, and then most letters.

    The asset's own name is no hint of the form.
    """
    words = _stems(sentence) - _stems(table.asset.name) - {"is"}

    def likeness(form: InvariantForm) -> tuple[int, float]:
        shared = len(words & _stems(form.example))
        return shared, difflib.SequenceMatcher(None, sentence, form.example).ratio()

    return max(forms, key=likeness).example
