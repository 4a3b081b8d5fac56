"""What a file holds after a `FileEdit`, provided that it is still as the edit expects it."""

from __future__ import annotations

from dagster_agent.errors import ConnectorError
from dagster_agent.model import FileEdit


def edited(edit: FileEdit, found: bytes | None, *, path: str) -> bytes:
    """The new content.

    Args:
        edit: Text before and after.
        found: Content now; None when there is no such file.
        path: Name for the error message.

    Returns:
        UTF-8, with the line ends that the file has now.

    Raises:
        ConnectorError: The file is not as in `edit.before`, line ends aside.
    """
    before = None if edit.before is None else _unix(edit.before.encode())
    if before != (None if found is None else _unix(found)):
        raise ConnectorError(
            f"the file {path} changed meanwhile: it is no longer as it was when the change "
            "was proposed",
            hint="investigate again",
        )
    if found is None:
        return edit.after.encode()
    after = _unix(edit.after.encode())
    return after.replace(b"\n", b"\r\n") if b"\r\n" in found else after


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
