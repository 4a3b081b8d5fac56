"""`Catalog`: the members of a folder and of an entry-point group, found by looking."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from dagster_agent.errors import ConfigError


class Member(Protocol):
    """Anything that a catalogue can hold: it has a stable public id."""

    @property
    def id(self) -> str:
        """Public id; the file's name with dashes for underscores."""
        ...


M = TypeVar("M", bound=Member)


class Catalog(Generic[M]):
    """The members of one kind (rules, detectors, bug patterns, ...), ordered by id.

    A member is a module-level value of type `kind` in a module of `package`, or what an entry
    point of the group `dagster_agent.<package's last two names joined with a dot>` loads.

    Args:
        package: The imported package whose modules hold one member each.
        kind: The class of a member.
    """

    def __init__(self, package: ModuleType, kind: type[M]) -> None:
        self._package = package
        self._kind = kind
        self._members: dict[str, M] | None = None

    def __iter__(self) -> Iterator[M]:
        return iter(self.members().values())

    def __len__(self) -> int:
        return len(self.members())

    def members(self) -> Mapping[str, M]:
        """All members by id; imports the modules at the first call."""
        if self._members is None:
            found: dict[str, M] = {}
            for member in (*self._from_folder(), *self._from_entry_points()):
                if member.id in found:
                    raise ConfigError(
                        f"two {self._kind.__name__} members share the id {member.id!r}",
                        hint="rename one: ids are public and stored with findings",
                    )
                found[member.id] = member
            self._members = dict(sorted(found.items()))
        return self._members

    def get(self, member_id: str) -> M:
        """The member with this id.

        Raises:
            ConfigError: No such member; the message lists the known ids.
        """
        try:
            return self.members()[member_id]
        except KeyError:
            known = ", ".join(self.members())
            raise ConfigError(
                f"unknown {self._kind.__name__} {member_id!r}", hint=f"known ids: {known}"
            ) from None

    def _from_folder(self) -> Iterator[M]:
        for info in pkgutil.iter_modules(self._package.__path__):
            module = importlib.import_module(f"{self._package.__name__}.{info.name}")
            for value in vars(module).values():
                if isinstance(value, self._kind):
                    if value.id != info.name.replace("_", "-"):
                        raise ConfigError(
                            f"{module.__name__} holds the id {value.id!r}",
                            hint="a member's id is its file name with dashes",
                        )
                    yield value

    def _from_entry_points(self) -> Iterator[M]:
        group = ".".join(["dagster_agent", *self._package.__name__.split(".")[-2:]])
        for entry_point in _entry_points().select(group=group):
            value = entry_point.load()
            if not isinstance(value, self._kind):
                raise ConfigError(
                    f"entry point {entry_point.value!r} is no {self._kind.__name__}",
                    hint=f"it must load a {self._kind.__name__} value",
                )
            yield value


@cache
def _entry_points() -> Any:  # another class since Python 3.12, which selects as well
    """Those of all packages: looking through what is installed takes as long for one group."""
    return entry_points()
