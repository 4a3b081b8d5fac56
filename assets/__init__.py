"""The assets of the example code location, and the real-data project of the integration tests."""
