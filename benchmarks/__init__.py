"""What is measured, against which floor or peer. `make bench` runs all of it."""
