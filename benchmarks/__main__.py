"""Run the benchmarks and print their figures, each a ratio to a floor measured in the same run."""

from __future__ import annotations

from benchmarks import flights, load_time


def main() -> None:
    """All benchmarks, one after the other."""
    for benchmark in (load_time, flights):
        print(f"\n## {benchmark.__name__.split('.')[-1]}\n")
        for line in benchmark.run():
            print(line)


if __name__ == "__main__":
    main()
