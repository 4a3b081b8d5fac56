"""Which table of the catalogue a relation means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from dagster_agent.model import Relation

T = TypeVar("T")


def by_relation(
    relations: Sequence[Relation],
    found: Mapping[tuple[str, str, str], T],
    *,
    database: str,
    schema: str,
) -> dict[Relation, T]:
    """What was found, by the relation as it was asked for; relations that are not there are absent.

    An exact name wins. Without one, letter case is ignored as long as that leaves one table.

    Args:
        relations: As asked for.
        found: By database, schema and name in the warehouse's own spelling.
        database: Meant where a relation names none.
        schema: Meant where a relation names none.
    """
    folded: dict[tuple[str, ...], list[T]] = {}
    for key, value in found.items():
        folded.setdefault(_fold(key), []).append(value)
    result: dict[Relation, T] = {}
    for relation in relations:
        asked = (relation.database or database, relation.schema or schema, relation.name)
        if asked in found:
            result[relation] = found[asked]
        elif len(alike := folded.get(_fold(asked), [])) == 1:
            result[relation] = alike[0]
    return result


def _fold(key: tuple[str, str, str]) -> tuple[str, ...]:
    return tuple(part.lower() for part in key)
