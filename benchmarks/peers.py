"""Peers that need other versions than ours: each in a private environment, made on first use.

A peer that does not install or run says so in its line instead of stopping the benchmark.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(
    os.environ.get("BENCH_PEERS", Path.home() / ".cache" / "dagster-agent" / "benchmark-peers")
)
"""Where the environments are kept from run to run."""
SECONDS = 900
"""Time limit of an installation and of a run."""

# data-diff does not install with a newer dbt-core
DATA_DIFF = ("data-diff[duckdb,postgresql]==0.11.2", "dbt-core<1.12", "duckdb", "psycopg2-binary")
RELADIFF = ("reladiff[duckdb,postgresql]==0.6.0", "duckdb", "psycopg2-binary")
DATACOMPY = ("datacompy", "duckdb", "pandas", "pyarrow")

_DATA_DIFF = """
import json, sys, time
{module} = __import__({module!r})
from {module} import connect_to_table, diff_tables, Algorithm
url, algorithm, columns, other = json.loads(sys.argv[1])
columns = tuple(columns)
ours = connect_to_table(url, "ours", "id", extra_columns=columns)
theirs = connect_to_table(other, "theirs", "id", extra_columns=columns)
started = time.perf_counter()
found = list(diff_tables(ours, theirs, algorithm=Algorithm(algorithm), extra_columns=columns))
print(json.dumps([time.perf_counter() - started, len(found)]))
"""
_DATACOMPY = """
import json, sys, time
import duckdb, datacompy
url, _, columns, _ = json.loads(sys.argv[1])
started = time.perf_counter()
with duckdb.connect(url.split("://")[-1].lstrip("@"), read_only=True) as connection:
    ours = connection.execute("from ours").df()
    theirs = connection.execute("from theirs").df()
kind = getattr(datacompy, "PandasCompare", None) or datacompy.Compare
found = kind(ours, theirs, join_columns=["id"])
differing = len(found.intersect_rows[~found.intersect_rows.filter(like="_match").all(axis=1)])
differing += len(found.df1_unq_rows) + len(found.df2_unq_rows)
print(json.dumps([time.perf_counter() - started, differing]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to run one tool."""

    name: str
    """As its line says."""
    environment: str
    """Name of the private environment."""
    packages: tuple[str, ...]
    """What is installed there."""
    code: str
    """Prints seconds and differences as JSON."""
    algorithm: str = ""
    """One of the tool's, where it has several."""


PEERS = (
    Peer(
        name="data-diff 0.11.2 joindiff",
        environment="data-diff",
        packages=DATA_DIFF,
        code=_DATA_DIFF.format(module="data_diff"),
        algorithm="joindiff",
    ),
    Peer(
        name="data-diff 0.11.2 hashdiff",
        environment="data-diff",
        packages=DATA_DIFF,
        code=_DATA_DIFF.format(module="data_diff"),
        algorithm="hashdiff",
    ),
    Peer(
        name="reladiff 0.6.0 hashdiff",
        environment="reladiff",
        packages=RELADIFF,
        code=_DATA_DIFF.format(module="reladiff"),
        algorithm="hashdiff",
    ),
    Peer(name="datacompy", environment="datacompy", packages=DATACOMPY, code=_DATACOMPY),
)


class PeerFailed(Exception):
    """It did not install or run; the message is its own last line."""


def python_of(environment: str, packages: Sequence[str]) -> Path:
    """The interpreter of a private environment, made now if there is none.

    Raises:
        PeerFailed: The packages do not install.
    """
    home = FOLDER / environment
    python = home / "bin" / "python"
    done = home / "installed.txt"
    wanted = "\n".join(packages)
    if done.exists() and done.read_text() == wanted:
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(home)])
    _run([str(python), "-m", "pip", "install", "--quiet", *packages])
    done.write_text(wanted)
    return python


def run_peer(
    peer: Peer, url: str, columns: Sequence[str], other: str | None = None
) -> tuple[float, int]:
    """Seconds and number of differences it reports.

    Args:
        peer: Which.
        url: Of the database with the table `ours`.
        columns: Compared beside the key `id`.
        other: Of the database with the table `theirs`; the same by default.

    Raises:
        PeerFailed: It did not install or run.
    """
    python = python_of(peer.environment, peer.packages)
    asked = json.dumps([url, peer.algorithm, list(columns), other or url])
    seconds, differing = json.loads(_run([str(python), "-c", peer.code, asked]).splitlines()[-1])
    return float(seconds), int(differing)


def peer_lines(path: Path, ours_seconds: float) -> Iterator[str]:
    """A Markdown table: each peer's wall time on a DuckDB file, and how often ours fits into it."""
    columns = ("customer_id", "quantity", "note", "ratio", "amount", "at", "day", "flag", "code")
    yield ""
    yield "| peers, same tables, wall | seconds | times ours | differences told |"
    yield "|---|---|---|---|"
    yield f"| ours | {ours_seconds:.2f} | 1 | |"
    readable = readable_copy(path)
    for peer in PEERS:
        try:
            seconds, differing = run_peer(peer, f"duckdb://{readable}", columns)
        except PeerFailed as problem:
            yield f"| {peer.name} | did not run: {problem} | | |"
            continue
        times = seconds / ours_seconds
        yield f"| {peer.name} | {seconds:.2f} | {times:.1f} | {differing:,} |"


def readable_copy(path: Path) -> Path:
    """The tables in a file that older DuckDB versions can read."""
    import duckdb

    copy = path.with_name(f"readable_{path.name}")
    copy.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as made (read_only)")
        connection.execute(f"attach '{copy}' as readable (storage_version 'v1.0.0')")
        for name in ("ours", "theirs"):
            connection.execute(f"create table readable.{name} as from made.{name}")
    return copy


def _run(command: list[str]) -> str:
    started = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        taken = time.monotonic() - started
        raise PeerFailed(f"not done after {taken:.0f} s") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise PeerFailed(lines[-1][:160] if lines else "no word of why")
    return done.stdout
