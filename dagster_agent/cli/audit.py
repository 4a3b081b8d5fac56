"""`audit verify`, `audit export`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_agent.cli.terminal import errors_for_people, print_json, print_line
from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.connectors.state_stores.sql_store import SqlStateStore

_folder = click.Path(path_type=Path, file_okay=False, exists=True)
_state_dir = click.option(
    "--state-dir", type=_folder, help="Folder of state.db: `dagster_agent` below DAGSTER_HOME."
)
_state_url = click.option("--state-url", help="SQLAlchemy URL of the state database.")


@click.group()
def audit() -> None:
    """The hash-chained record of everything that was done, refused or decided."""


@audit.command()
@_state_dir
@_state_url
@click.option("--head-hash", help="Hash of the newest record when it was last noted down.")
@click.option("--count", type=int, help="Number of records when it was last noted down.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON.")
@errors_for_people
def verify(
    state_dir: Path | None,
    state_url: str | None,
    head_hash: str | None,
    count: int | None,
    as_json: bool,
) -> None:
    """Check the chain: nothing changed, left out or put in. Exits with 1 when it is broken.

    A chain whose end was cut off is still a chain: note its head hash and count from time to time,
    and give them here.
    """
    from dagster_agent.response.audit import AuditAnchor, verdict_json, verify_audit

    if (head_hash is None) != (count is None):
        raise ConfigError("only one of --head-hash and --count is given", hint="give both, or none")
    anchor = None
    if head_hash is not None and count is not None:
        anchor = AuditAnchor(records=count, head_hash=head_hash)
    with closing(_store(state_dir, state_url)) as store:
        verdict = verify_audit(store, anchor=anchor)
    if as_json:
        print_json(verdict_json(verdict))
    elif verdict.intact:
        click.echo(f"intact: {verdict.records} records, head hash {verdict.head_hash or '-'}")
    else:
        click.echo(f"BROKEN at record {verdict.broken_at}: {verdict.reason}")
    sys.exit(0 if verdict.intact else 1)


@audit.command()
@_state_dir
@_state_url
@click.option("--after", type=int, default=0, help="Only records behind this sequence number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@errors_for_people
def export(state_dir: Path | None, state_url: str | None, after: int, as_json: bool) -> None:
    """Write the records as JSON lines, oldest first."""
    from dagster_agent.response.audit import export_audit

    with closing(_store(state_dir, state_url)) as store:
        if as_json:
            print_json({"records": list(export_audit(store, after=after))})
            return
        for record in export_audit(store, after=after):
            print_line(record)


def _store(state_dir: Path | None, state_url: str | None) -> SqlStateStore:
    from dagster_agent.connectors.state_stores import open_store

    if (state_dir is None) == (state_url is None):
        raise ConfigError(
            "the state database is not known", hint="give one of --state-dir and --state-url"
        )
    if state_dir is not None and not (state_dir / "state.db").is_file():
        raise ConfigError(
            f"there is no state.db in {state_dir}",
            hint="give the folder `dagster_agent` below DAGSTER_HOME",
        )
    return open_store(state_url or f"sqlite:///{(state_dir or Path()).resolve() / 'state.db'}")
