"""Evidence by counting: each module accounts for one thing, in as few queries as can be."""
