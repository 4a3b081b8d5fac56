"""The impact tree: who reads a column, and what is built on them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dagster_agent.dbt.manifest import DbtTest, Exposure, Manifest
from dagster_agent.model import Asset, ResultTable
from dagster_agent.schema_drift.json_keys import Path, path_text
from dagster_agent.schema_drift.key_reads import key_use
from dagster_agent.schema_drift.reads import Known, Use, use_of

_ROWS_TOLD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A node of the project that a change reaches."""

    kind: str
    """`model`, `snapshot`, `test` or `exposure`."""
    name: str
    """dbt's name."""
    uid: str = ""
    """dbt's unique id; empty for exposures."""
    level: int = 1
    """1 for who reads the column, 2 for who reads those, and so on."""
    through: str = ""
    """Name of what it reads."""

    def __str__(self) -> str:
        return (
            self.name if self.kind in ("model", "snapshot", "seed") else f"{self.kind} {self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What reads a column, and all that is built on it."""

    readers: tuple[Touched, ...] = ()
    """Those that name the column: models, then tests, then exposures."""
    behind: tuple[Touched, ...] = ()
    """What reads those, nearest first, then its exposures."""

    @property
    def names(self) -> tuple[str, ...]:
        """The readers as people call them."""
        return tuple(str(reader) for reader in self.readers)

    @property
    def models(self) -> tuple[str, ...]:
        """Unique ids of all models and snapshots that it reaches, nearest first."""
        return tuple(t.uid for t in (*self.readers, *self.behind) if t.kind in _BUILT)

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the tests among the readers."""
        return tuple(t.name for t in self.readers if t.kind == "test")

    @property
    def count(self) -> str:
        """`2 models, 1 exposure`; empty when nothing is reached."""
        kinds = Counter(touched.kind for touched in (*self.readers, *self.behind))
        return ", ".join(
            f"{kinds[kind]} {kind}{'s' if kinds[kind] > 1 else ''}"
            for kind in (*_BUILT, "exposure", "test")
            if kinds[kind]
        )


_BUILT = ("model", "snapshot")


def tree_of(impacts: Mapping[str, Impact]) -> ResultTable:
    """The trees of several columns, one row for each node."""
    rows = [
        (column, touched.level, touched.kind, touched.name, touched.through)
        for column, impact in impacts.items()
        for touched in (*impact.readers, *impact.behind)
    ]
    return ResultTable(
        columns=("column", "level", "kind", "name", "reads"),
        rows=tuple(rows[:_ROWS_TOLD]),
        truncated=len(rows) > _ROWS_TOLD,
    )


ColumnsOf = Callable[[Asset], Sequence[str] | None]
"""Column names of an asset's table; None where they are not known."""


def find_impacts(
    manifest: Manifest,
    uid: str,
    columns: Sequence[str],
    *,
    columns_of: ColumnsOf,
    keys: Sequence[tuple[str, Path]] = (),
) -> Mapping[str, Impact]:
    """Impact by lower-case column, or path of a key; the key "" is about the whole table.

    Followed through the whole lineage: a model that hands the column on by a star passes the
    question on to those that read it there. An exposure that reads the table, or such a model, is
    told for each column, because nobody knows which it shows.

    Args:
        manifest: The project.
        uid: Unique id of the table's asset.
        columns: Names of columns, as accepted.
        columns_of: Names them for the asset, as accepted, and for others as far as is known.
        keys: Keys in documents of columns. Only models count that take the key out, of this table
            or of one that has the whole document from it.
    """
    search = _Search(manifest, columns_of)
    found = {column.lower(): search.column(uid, column) for column in columns}
    inside = {path_text(name, path).lower(): search.key(uid, name, path) for name, path in keys}
    return {"": search.table(uid), **found, **inside}


class _Search:
    """Walks the lineage of one project."""

    def __init__(self, manifest: Manifest, columns_of: ColumnsOf) -> None:
        self._manifest = manifest
        self._columns_of = columns_of
        self._tests_by_asset: dict[str, list[DbtTest]] = defaultdict(list)
        for test in manifest.tests.values():
            for uid in {test.asset, *test.depends_on} - {None}:
                self._tests_by_asset[uid or ""].append(test)

    def table(self, uid: str) -> Impact:
        name = self._manifest.asset(uid).name
        models = [self._model(child, 1, name) for child in self._manifest.children(uid)]
        tests = [_test(test.name, name) for test in self._manifest.tests_of(uid)]
        return self._with_rest([*models, *tests], [uid])

    def column(self, uid: str, column: str) -> Impact:
        models: dict[str, Touched] = {}
        tests: dict[str, Touched] = {}
        carriers = [uid]
        queue = deque([uid])
        while queue:
            holder = queue.popleft()
            name = self._manifest.asset(holder).name
            tests |= {test: _test(test, name) for test in self._tests(holder, column)}
            for child in self._manifest.children(holder):
                use = self._use(child, holder, column)
                if use is Use.READS:
                    models.setdefault(child, self._model(child, 1, name))
                elif use is Use.HANDS_ON and child not in carriers:
                    carriers.append(child)
                    queue.append(child)
        return self._with_rest([*models.values(), *tests.values()], carriers)

    def key(self, uid: str, column: str, path: Path) -> Impact:
        models: dict[str, Touched] = {}
        known = {(uid, column.casefold())}
        queue = deque([(uid, column)])
        while queue:
            holder, name = queue.popleft()
            for child in self._manifest.children(holder):
                onward = self._use_key(child, holder, name, path, models)
                for held in sorted({(child, output) for output in onward} - known):
                    known.add(held)
                    queue.append(held)
        return self._with_rest(list(models.values()), ())

    def _use_key(
        self, child: str, holder: str, column: str, path: Path, models: dict[str, Touched]
    ) -> Sequence[str]:
        """Add the child where it reads the key; its columns that hold the document."""
        use = self._use(child, holder, column)
        if use is Use.HANDS_ON:
            return (column.casefold(),)
        code = self._manifest.compiled_code(child) or self._manifest.raw_code(child)
        if use is Use.NONE:
            return ()
        found = key_use(code, column, path, dialect=self._manifest.adapter_type)
        if found.reads:
            name = self._manifest.asset(holder).name
            models.setdefault(child, self._model(child, 1, name))
        return found.onward

    def _with_rest(self, found: Sequence[Touched], carriers: Sequence[str]) -> Impact:
        """The exposures of those that hold the column, and all behind the models found."""
        shown = {
            e.name: Touched(kind="exposure", name=e.name, through=self._first(e, carriers))
            for e in self._manifest.exposures
            if set(carriers) & set(e.depends_on)
        }
        behind: dict[str, Touched] = {t.uid: t for t in found if t.uid}
        direct = set(behind)
        queue = deque(behind)
        while queue:
            upstream = queue.popleft()
            at = behind[upstream]
            for child in self._manifest.children(upstream):
                if child not in behind and child not in carriers:
                    behind[child] = self._model(child, at.level + 1, at.name)
                    queue.append(child)
        exposures = [
            Touched(
                kind="exposure",
                name=e.name,
                level=behind[first].level + 1,
                through=behind[first].name,
            )
            for e in self._manifest.exposures
            if e.name not in shown and (first := next((u for u in e.depends_on if u in behind), ""))
        ]
        rest = [touched for uid, touched in behind.items() if uid not in direct]
        return Impact(readers=(*found, *shown.values()), behind=(*rest, *exposures))

    def _first(self, exposure: Exposure, carriers: Sequence[str]) -> str:
        return next(self._manifest.asset(u).name for u in carriers if u in exposure.depends_on)

    def _model(self, uid: str, level: int, through: str) -> Touched:
        asset = self._manifest.asset(uid)
        kind = asset.resource_type
        return Touched(kind=kind, name=asset.name, uid=uid, level=level, through=through)

    def _use(self, child: str, holder: str, column: str) -> Use:
        manifest = self._manifest
        asset = manifest.asset(holder)
        compiled = manifest.compiled_code(child)
        return use_of(
            compiled or manifest.raw_code(child),
            asset.relation if compiled else None,
            column,
            dialect=manifest.adapter_type,
            known=self._known(child),
        )

    def _known(self, child: str) -> Known:
        parents = (self._manifest.asset(parent) for parent in self._manifest.parents(child))
        known = {p.relation: self._columns_of(p) for p in parents if p.relation is not None}
        return {relation: columns for relation, columns in known.items() if columns}

    def _tests(self, uid: str, column: str) -> Iterator[str]:
        wanted = column.casefold()
        for test in self._tests_by_asset.get(uid, ()):
            arguments = {text.casefold() for text in _texts((test.column, dict(test.kwargs)))}
            if wanted in arguments:
                yield test.name


def _test(name: str, through: str) -> Touched:
    return Touched(kind="test", name=name, through=through)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip('"`')
    elif isinstance(value, Mapping):
        yield from _texts(list(cast("Mapping[str, Any]", value).values()))
    elif isinstance(value, list | tuple):
        for entry in cast("Sequence[Any]", value):
            yield from _texts(entry)
