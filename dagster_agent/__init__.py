"""dagster_agent finds, proves and repairs what breaks in the dbt assets of a Dagster code location."""
