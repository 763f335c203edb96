"""Where an address leads."""

from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(address: str) -> bool:
    """Tell whether an http or https address leads to this machine itself."""
    try:
        return urlsplit(address).hostname in _LOOPBACK
    except ValueError:
        return False
