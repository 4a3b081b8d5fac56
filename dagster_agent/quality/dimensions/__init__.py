"""The quality dimensions, one file each."""
