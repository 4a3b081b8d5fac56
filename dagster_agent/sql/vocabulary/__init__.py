"""Names of functions that a read-only statement may call, as plain words."""
