"""Run the benchmarks and print their figures, each a ratio to a floor measured in the same run."""

from __future__ import annotations

import sys

from benchmarks import (
    anomaly,
    anomaly_bands,
    cross_store,
    flights,
    load_time,
    profiling,
    reconciliation,
    scale,
    schema_drift,
    silence,
)

ALL = (
    load_time,
    scale,
    silence,
    reconciliation,
    cross_store,
    schema_drift,
    profiling,
    anomaly,
    anomaly_bands,
    flights,
)


def main() -> None:
    """All benchmarks, one after the other, or those that the command line names."""
    wanted = set(sys.argv[1:])
    for benchmark in ALL:
        name = benchmark.__name__.rpartition(".")[2]
        if wanted and name not in wanted:
            continue
        print(f"\n## {name}\n", flush=True)
        for line in benchmark.run():
            print(line, flush=True)


if __name__ == "__main__":
    main()
