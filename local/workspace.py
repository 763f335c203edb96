"""The folders of the checkout that the stack writes to."""

from pathlib import Path


class NotWritableError(Exception):
    """A folder of the checkout that cannot be written to."""


def make_folder(path: Path) -> None:
    """Make a folder of the checkout, where it is missing.

    Raises:
        NotWritableError: it cannot be made or written to.
    """
    probe = path / ".writable"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritableError(
            f"Cannot write to {path}: {error.strerror}. The stack keeps its logs and how to reach it in the checkout; "
            "run it in a checkout that you can write to."
        ) from None
