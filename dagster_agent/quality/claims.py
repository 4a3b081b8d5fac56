"""The invariants that an asset declares in its meta."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dagster_agent.catalog import Catalog
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, Severity
from dagster_agent.quality import invariants
from dagster_agent.quality.dimension import Subject
from dagster_agent.quality.invariant import Claim, InvariantForm
from dagster_agent.quality.sentences import read_sentence

FORMS = Catalog(invariants, InvariantForm)
"""All forms of invariants."""

_BESIDE = ("says", "where", "money", "severity")
"""Keys of an entry that are no form."""
_SEVERITIES = {"error": Severity.ERROR, "warn": Severity.WARN}


def declared_in(asset: Asset, key: str) -> tuple[Any, ...]:
    """The entries of a list in the asset's own meta.

    Raises:
        ConfigError: It is no list.
    """
    ours: object = asset.meta.get("dagster_agent")
    given = cast("Mapping[str, Any]", ours).get(key) if isinstance(ours, Mapping) else None
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise ConfigError(
            f"{key} of {asset.name} is {given!r}", hint=f"write a list under `{key}:`"
        )
    return tuple(cast("Sequence[Any]", given))


def read_claim(entry: object, subject: Subject) -> tuple[InvariantForm, Claim]:
    """One entry of `invariants:`: a sentence, or a form with its arguments.

    Raises:
        ConfigError: It is not understood; says what is wrong and what would be right.
    """
    if isinstance(entry, str):
        entry = {"says": entry}
    if not isinstance(entry, Mapping):
        raise _wrong(subject, entry, "write a sentence, or `<form>: {...}`")
    given = cast("Mapping[str, Any]", entry)
    keys = [key for key in given if key not in _BESIDE]
    says = str(given.get("says", ""))
    if not keys and says:
        form, arguments = read_sentence(says, subject.table, FORMS)
    elif len(keys) == 1:
        form = _form(str(keys[0]), subject)
        arguments = _arguments(form, given[keys[0]], subject)
    else:
        raise _wrong(subject, dict(given), "give one form, and beside it says, where or money")
    for name in sorted(form.without):
        if given.get(name):
            told = f"the invariant {form.key} of {subject.asset.name} takes no `{name}`"
            raise ConfigError(told, hint="leave it out, or write the invariant as `sql:`")
    return form, Claim(
        form=form.id,
        arguments=arguments,
        table=subject.table,
        around=subject.around,
        now=subject.now,
        says=says,
        where=str(given.get("where") or ""),
        money=str(given.get("money") or ""),
        severity=_severity(given.get("severity", "error"), subject),
    )


def _form(key: str, subject: Subject) -> InvariantForm:
    known = {form.key: form for form in FORMS}
    wanted = key.replace("-", "_").replace(" ", "_")
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"forms: {', '.join(known)}"
    raise ConfigError(f"{subject.asset.name} has an invariant of unknown form {key!r}", hint=hint)


def _arguments(form: InvariantForm, given: object, subject: Subject) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        if form.short and isinstance(given, str | list | tuple):
            return {form.short: given}
        raise _wrong(subject, given, f"{form.key} needs {{{', '.join(sorted(form.arguments))}}}")
    arguments = {str(k): v for k, v in cast("Mapping[object, Any]", given).items()}
    # YAML 1.1 reads a bare `on` or `yes` as a truth value; none of our names is one
    unknown = sorted(set(arguments) - form.arguments)
    if unknown:
        raise ConfigError(
            f"the invariant {form.key} of {subject.asset.name} has no argument {unknown[0]!r}",
            hint=f"its arguments: {', '.join(sorted(form.arguments))}",
        )
    return arguments


def _severity(given: object, subject: Subject) -> Severity:
    found = _SEVERITIES.get(str(given).casefold())
    if found is None:
        raise _wrong(subject, {"severity": given}, "severity is error or warn")
    return found


def _wrong(subject: Subject, entry: object, hint: str) -> ConfigError:
    return ConfigError(f"{subject.asset.name} declares the invariant {entry!r}", hint=hint)
