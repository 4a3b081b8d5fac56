"""The audit log for people outside: is it whole, and what does it say?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dagster_agent.connectors.state_stores import codec
from dagster_agent.connectors.state_stores.audit_chain import flaw
from dagster_agent.errors import ConfigError
from dagster_agent.model import AuditRecord
from dagster_agent.ports import StateStore
from dagster_agent.privacy.redaction import known_secrets, redact

_PAGE = 500
_WRITTEN_BY_CALLERS = frozenset({"actor", "action", "subject", "detail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAnchor:
    """How far the log had come at an earlier moment, kept where the database's owner cannot write.

    Take it from an `AuditVerdict` or from the last line of an export.
    """

    records: int
    """Sequence number of the newest record then."""
    head_hash: str
    """Its hash; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What reading the whole log showed."""

    records: int
    """Records that follow from each other, from the first one on."""
    intact: bool
    """Whether these are all, as far as can be seen: `reason` says how far."""
    broken_at: int | None
    """Sequence number of the first record that is missing or wrong."""
    reason: str
    """One sentence for people, also when intact."""
    head_hash: str
    """Hash of the last record counted in `records`; empty for none."""


def verify_audit(store: StateStore, *, anchor: AuditAnchor | None = None) -> AuditVerdict:
    """Read the log in pages and check every record against the one before.

    Whoever owns the database can remove records from the end together with the count that stands
    beside them, or write the whole log anew; only an anchor kept elsewhere shows that.

    Args:
        store: Whose log.
        anchor: What an earlier verification or export ended with. The log may have grown since.

    Raises:
        ConfigError: The anchor is impossible.
        ConnectorError: The database does not answer.
    """
    _check(anchor)
    count, counted_hash = store.audit_head()
    known = {count: (counted_hash, "the count kept beside the log")}
    if anchor:
        known[anchor.records] = (anchor.head_hash, "the anchor")
    read = _chain(store, known)
    if not read.intact:
        return read
    if why := _end_missing(read.records, count, anchor):
        return _broken(read.records, read.head_hash, why)
    if (count := store.audit_head()[0]) < read.records:
        why = f"the count kept beside the log knows {count} records, {read.records} are there"
        return dataclasses.replace(read, intact=False, broken_at=count + 1, reason=why)
    return dataclasses.replace(read, reason=_reach(read.records, anchor))


def export_audit(store: StateStore, *, after: int = 0) -> Iterator[dict[str, Any]]:
    """The records after that sequence number as `audit_json`, read in pages: one line each."""
    return (audit_json(record) for record in _records(store, after=after))


def audit_json(record: AuditRecord) -> dict[str, Any]:
    """The record as plain JSON: always these fields in this order, moments in UTC ISO 8601.

    The hash of a line can be computed again without this package: SHA-256 over the JSON of all
    other fields with sorted keys, no spaces and ASCII only. Secrets are redacted once more on the
    way out; a line in which that found something no longer gives its hash.
    """
    line: dict[str, Any] = codec.plain(record)
    secrets = known_secrets({}, line["detail"])
    return {
        name: _redacted(value, secrets) if name in _WRITTEN_BY_CALLERS else value
        for name, value in line.items()
    }


def verdict_json(verdict: AuditVerdict) -> dict[str, Any]:
    """The verdict as plain JSON; `records` and `head_hash` are the next verification's anchor."""
    return codec.plain(verdict)


def _records(store: StateStore, *, after: int = 0) -> Iterator[AuditRecord]:
    while True:
        page = store.audit(after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].sequence


def _check(anchor: AuditAnchor | None) -> None:
    if anchor and (anchor.records < 0 or bool(anchor.records) != bool(anchor.head_hash)):
        raise ConfigError(
            f"an anchor of {anchor.records} records with the hash {anchor.head_hash!r} cannot be",
            hint="give the number and the hash of one record, as `audit verify` printed them",
        )


def _chain(store: StateStore, known: Mapping[int, tuple[str, str]]) -> AuditVerdict:
    """Up to the first flaw or the end; `known` has hashes by number, and who says so."""
    records, head_hash = 0, ""
    for record in _records(store):
        why = flaw(record, sequence=records + 1, previous_hash=head_hash)
        why = why or _contradiction(record, *known.get(record.sequence, ("", "")))
        if why:
            return _broken(records, head_hash, why)
        records, head_hash = record.sequence, record.hash
    return AuditVerdict(
        records=records, intact=True, broken_at=None, reason="", head_hash=head_hash
    )


def _contradiction(record: AuditRecord, expected_hash: str, source: str) -> str:
    if not source or record.hash == expected_hash:
        return ""
    return f"record {record.sequence} is not the one that {source} names: the log was written anew"


def _end_missing(records: int, count: int, anchor: AuditAnchor | None) -> str:
    known = max(count, anchor.records if anchor else 0)
    if known <= records:
        return ""
    source = "the count kept beside the log" if known == count else "the anchor"
    return f"the end of the log was cut off: {source} knows {known} records, {records} are there"


def _broken(records: int, head_hash: str, reason: str) -> AuditVerdict:
    return AuditVerdict(
        records=records, intact=False, broken_at=records + 1, reason=reason, head_hash=head_hash
    )


def _reach(records: int, anchor: AuditAnchor | None) -> str:
    chained = f"all {records} records follow from each other"
    if anchor is None:
        return (
            f"{chained}; without an anchor from elsewhere it cannot be seen whether somebody with "
            "full rights on the database cut off the end or wrote the log anew"
        )
    return f"{chained} and contain the anchor at record {anchor.records}"


def _redacted(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets=secrets)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        return {key: _redacted(pairs[key], secrets) for key in sorted(pairs)}
    if isinstance(value, list):
        return [_redacted(item, secrets) for item in cast("list[Any]", value)]
    return value
