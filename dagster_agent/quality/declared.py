"""What dbt tests and contracts promise, read once for all dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dagster_agent.dbt.manifest import DbtTest
from dagster_agent.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A dbt test with its arguments as plain values."""

    kind: str
    """Name of the generic test, without its package."""
    column: str | None
    """Column it is written on."""
    arguments: Mapping[str, Any]
    """Arguments as written in the yml."""
    where: str
    """Condition on the rows as written; empty for all."""

    def texts(self, name: str) -> tuple[str, ...]:
        """An argument that is a list of names."""
        given: object = self.arguments.get(name)
        if isinstance(given, list | tuple):
            return tuple(str(item) for item in cast("Sequence[object]", given))
        return ()

    @property
    def condition(self) -> str:
        """`where` as SQL.

        Raises:
            ConfigError: dbt has still to render it; as all rows it would promise something else.
        """
        if "{{" in self.where or "{%" in self.where:
            raise ConfigError(
                f"the condition of a {self.kind} test is Jinja: {self.where!r}",
                hint="write the condition as plain SQL, or state the promise in meta",
            )
        return self.where

    @property
    def source(self) -> str:
        """Who promises, for people."""
        return f"dbt {self.kind}"


def declared(tests: Sequence[DbtTest], *kinds: str) -> Iterator[Declared]:
    """The tests of these kinds, in the order given.

    dbt 1.10 writes the arguments of a test below `arguments`; older ones beside the column.
    """
    for test in tests:
        kind = test.kind.rpartition(".")[2]
        if kind not in kinds:
            continue
        nested: object = test.kwargs.get("arguments")
        inner = dict(cast("Mapping[str, Any]", nested)) if isinstance(nested, Mapping) else {}
        arguments = {**test.kwargs, **inner}
        column = test.column or arguments.get("column_name")
        yield Declared(
            kind=kind,
            column=str(column).strip('`"') if column else None,
            arguments=arguments,
            where=test.where or "",
        )
