"""A table in numbers: what is measured, at what cost, by day and as a whole."""
