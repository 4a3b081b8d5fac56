"""Sources of truth that are no warehouse: files, HTTP APIs, and what Python code yields.

Each is landed as one table of a private DuckDB file, so that everything that compares tables can
compare it. Landing is all or nothing: half an API or a file that grew while it was read is an
error, never a smaller truth.
"""
