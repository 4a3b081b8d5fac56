"""Which edits of a dbt yml file a specialist may propose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

_OPEN = frozenset({"description", "columns", "data_tests", "tests"})
"""Keys of a model that may change; not `config`, `meta`, `constraints`, `access` ..."""
_OPEN_COLUMN = frozenset({"name", "description", "data_tests", "tests"})
_TESTS = frozenset({"unique", "not_null", "accepted_values", "relationships"})
"""dbt's own tests."""
_ARGUMENTS = frozenset({"arguments", "values", "to", "field", "name", "config"})
_CONFIG = frozenset({"severity"})
_PLAIN = re.compile(r"[\w .:/+-]*")
"""dbt writes names and values into SQL as they are, so they may hold no sign of SQL."""
_TARGET = re.compile(r"ref\('\w+'\)|source\('\w+', ?'\w+'\)")
"""dbt evaluates `to` as Jinja."""

Yml = Mapping[str, Any]


def yml_trouble(before: str, after: str, *, models: Collection[str]) -> str:
    """Why the edit is not allowed; empty when it is.

    Only descriptions, columns and added tests of dbt's own kinds, of the given models, may change.
    Nothing may be configured, no test be taken away, and no Jinja be added: dbt renders yml too.
    """
    import yaml

    if _jinja(after) - _jinja(before):
        return "it adds Jinja"
    try:
        old, new = _mapping(yaml.safe_load(before)), _mapping(yaml.safe_load(after))
    except yaml.YAMLError as error:
        return f"it is no YAML afterwards: {str(error).splitlines()[0]}"
    if _without_models(old) != _without_models(new):
        return "only what stands under `models:` may change"
    olds, news = _named(old.get("models")), _named(new.get("models"))
    if list(olds) != list(news):
        return "no model may be added, removed or renamed"
    for name, entry in news.items():
        if olds[name] == entry:
            continue
        if name not in models:
            return f"the model {name} is not in scope"
        trouble = next(_model_troubles(olds[name], entry), "")
        if trouble:
            return f"of the model {name}, {trouble}"
    return ""


def described_models(before: str, after: str) -> Iterator[str]:
    """Names of the models that the edit describes differently."""
    import yaml

    old = _named(_mapping(yaml.safe_load(before)).get("models"))
    for name, entry in _named(_mapping(yaml.safe_load(after)).get("models")).items():
        if old.get(name) != entry:
            yield name


def _model_troubles(old: Yml, new: Yml) -> Iterator[str]:
    yield from _key_troubles(old, new, _OPEN)
    yield from _test_troubles(old, new)
    columns, changed = _named(old.get("columns")), _named(new.get("columns"))
    for name, column in changed.items():
        if name not in columns and not _PLAIN.fullmatch(name):
            yield f"the column name {name[:40]!r} holds more than letters"
        before = columns.get(name, {"name": name})
        yield from _key_troubles(before, column, _OPEN_COLUMN)
        yield from _test_troubles(before, column)
    for name, column in columns.items():
        if name not in changed and any(_tests(column)):
            yield f"the tested column {name} may not be removed"


def _key_troubles(old: Yml, new: Yml, allowed: Collection[str]) -> Iterator[str]:
    for key in sorted({*old, *new} - set(allowed)):
        if old.get(key) != new.get(key):
            yield f"`{key}` may not change"


def _test_troubles(old: Yml, new: Yml) -> Iterator[str]:
    was, now = Counter(map(repr, _tests(old))), Counter(map(repr, _tests(new)))
    if was - now:
        yield "no test may be changed or removed"
    known = set(was)
    for test in _tests(new):
        if repr(test) not in known and not _plain_test(test):
            yield f"only {', '.join(sorted(_TESTS))} may be added as tests"


def _tests(entry: Yml) -> Iterator[Any]:
    for key in ("data_tests", "tests"):
        listed: object = entry.get(key)
        if isinstance(listed, list):
            yield from cast("list[Any]", listed)


def _plain_test(test: Any) -> bool:
    if isinstance(test, str):
        return test in _TESTS
    given = _mapping(test)
    if len(given) != 1 or next(iter(given)) not in _TESTS:
        return False
    arguments = _mapping(next(iter(given.values())))
    config = _mapping(arguments.get("config"))
    known = set(arguments) <= _ARGUMENTS and set(config) <= _CONFIG
    return known and all(_plain_argument(k, v) for k, v in _leaves("", arguments))


def _plain_argument(key: str, text: str) -> bool:
    return (_TARGET if key == "to" else _PLAIN).fullmatch(text) is not None


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each text, number, ... in nested lists and mappings, with the key it stands under."""
    if isinstance(value, Mapping):
        for name, inner in cast("Yml", value).items():
            yield from _leaves(str(name), inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _leaves(key, inner)
    else:
        yield key, str(value)


def _jinja(text: str) -> Counter[str]:
    return Counter({mark: text.count(mark) for mark in ("{{", "{%", "{#")})


def _without_models(document: Yml) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "models"}


def _named(entries: Any) -> dict[str, Yml]:
    """By name; a list that is not one of named entries is empty."""
    listed = cast("list[Any]", entries) if isinstance(entries, list) else []
    return {str(_mapping(entry).get("name")): _mapping(entry) for entry in listed}


def _mapping(value: Any) -> Yml:
    return cast("Yml", value) if isinstance(value, Mapping) else {}
