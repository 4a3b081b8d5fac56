"""`python -m dagster_agent.cli`."""

from dagster_agent.cli import main

main()
