"""The shop's sensors."""
