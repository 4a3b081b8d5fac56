"""How the keys of numbered entries are made and sorted."""

from __future__ import annotations


def folder_of(prefix: str) -> str:
    """The prefix with exactly one slash at its end."""
    return prefix.rstrip("/") + "/"


def in_order(key: str) -> list[tuple[int, int, str]]:
    """Sorts keys by their parts, numbers by value and before words."""
    return [
        (0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part)
        for part in key.split("/")
    ]
