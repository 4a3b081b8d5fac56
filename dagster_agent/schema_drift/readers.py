"""Who reads a column: judged by the text of the code, until lineage by column is there.

It errs on the side of telling too many: a name that stands in a model's code counts, whichever
table it belongs to there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dagster_agent.dbt.manifest import Manifest

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_STAR = re.compile(r"(?:\bselect\s+(?:distinct\s+)?|\.|,\s*)\*", re.IGNORECASE)


def find_readers(
    manifest: Manifest, uid: str, columns: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Names of the models, tests and exposures that read each column; see `SchemaDiff.readers`.

    An exposure that reads the table is told for each column. A model that selects `*` passes the
    question on to the models that read it.

    Args:
        manifest: The project.
        uid: Unique id of the table's asset.
        columns: Names of columns, as accepted.
    """
    exposures = [f"exposure {e.name}" for e in manifest.exposures if uid in e.depends_on]
    models = [manifest.asset(child).name for child in manifest.children(uid)]
    readers: dict[str, Sequence[str]] = {"": [*models, *exposures]}
    for column in columns:
        readers[column.lower()] = [
            *_models(manifest, uid, column),
            *_tests(manifest, uid, column),
            *exposures,
        ]
    return readers


def _models(manifest: Manifest, uid: str, column: str) -> Iterator[str]:
    named = re.compile(rf"(?<![\w$]){re.escape(column)}(?![\w$])", re.IGNORECASE)
    seen = {uid}
    queue = deque(manifest.children(uid))
    while queue:
        child = queue.popleft()
        if child in seen:
            continue
        seen.add(child)
        code = _COMMENT.sub(" ", manifest.compiled_code(child) or manifest.raw_code(child))
        if named.search(code):
            yield manifest.asset(child).name
        elif _STAR.search(code):
            queue.extend(manifest.children(child))


def _tests(manifest: Manifest, uid: str, column: str) -> Iterator[str]:
    wanted = column.casefold()
    for test in manifest.tests.values():
        if uid in {test.asset, *test.depends_on}:
            arguments = {text.casefold() for text in _texts((test.column, dict(test.kwargs)))}
            if wanted in arguments:
                yield f"test {test.name}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip('"`')
    elif isinstance(value, Mapping):
        yield from _texts(list(cast("Mapping[str, Any]", value).values()))
    elif isinstance(value, list | tuple):
        for entry in cast("Sequence[Any]", value):
            yield from _texts(entry)
