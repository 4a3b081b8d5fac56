"""Snowflake as fakesnow plays it, in server mode."""

from __future__ import annotations

import importlib
import sys
import warnings
from contextlib import AbstractContextManager
from typing import Any


def snowflake_server() -> AbstractContextManager[dict[str, Any]]:
    """Starts a server; what it yields logs in to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fakesnow = importlib.import_module("fakesnow")
        if not callable(fakesnow.server):
            # its first use imports a module of that name over the function, and only a first import
            # does so: the function looks for the module there
            del sys.modules["fakesnow.server"]
            fakesnow = importlib.reload(fakesnow)
    server: Any = fakesnow.server
    return server()
