"""A web shop: its loads, its dbt project, its payment processor's ledger."""
