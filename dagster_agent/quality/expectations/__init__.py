"""Great Expectations: what a customer's suites and meta expect of a table, as SQL if possible."""
