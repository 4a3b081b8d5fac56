"""The forms in which an invariant can be said, one file each."""
