"""Compare the rows of two tables, in one store and across stores: `comparing.compare_rows`."""
