"""Settings, taken one by one; what is wrong with them is gathered instead of stopping at the first."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

_FALSE, _TRUE = ("false", "0"), ("true", "1")


class EnvironmentReader:
    """A reader of settings by name; a blank one counts as absent. ``problems`` says which cannot be used, and why."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: set[str] = set()
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """Return what a setting holds, without the white space around it; empty where it is absent."""
        self._known.add(name)
        return self._environment.get(name, "").strip()

    def has_any(self, prefix: str) -> bool:
        """Tell whether any setting whose name begins so holds something."""
        return any(name.startswith(prefix) and value.strip() for name, value in self._environment.items())

    def reject(self, name: str, value: str, expected: str) -> None:
        """Note that a setting cannot be used, and show its value."""
        self.problems.append(f"{name} is {value!r}; expected {expected}")

    def reject_missing(self, name: str, expected: str) -> None:
        """Note that a setting is missing."""
        self.problems.append(f"{name} is missing; expected {expected}")

    def reject_secret(self, name: str, expected: str) -> None:
        """Note that a setting cannot be used, without its value."""
        self.problems.append(f"{name} cannot be used (its value is not shown); expected {expected}")

    def reject_address(self, name: str, value: str, expected: str) -> None:
        """Note that an address cannot be used; show it only where it can hold no key, password or signature."""
        if re.fullmatch(r"[^@?#=;&%]*(\.|://)[^@?#=;&%]*", value):
            self.reject(name, value, expected)
        elif value:
            self.reject_secret(name, expected)
        else:
            self.reject_missing(name, expected)

    def reject_unknown(self, prefixes: tuple[str, ...]) -> None:
        """Note each setting that begins with one of the prefixes and was never asked for, with the nearest that was."""
        for name in sorted(self._environment.keys() - self._known):
            if name.startswith(prefixes) and self._environment[name].strip():
                (nearest,) = get_close_matches(name, sorted(self._known), n=1, cutoff=0.0)
                self.problems.append(f"{name} is not a setting of this app; did you mean {nearest}?")

    def secret(self, name: str) -> str | None:
        """Return a secret, which no problem shows."""
        value = self.text(name)
        if not value.isascii() or not value.isprintable():
            self.reject_secret(name, "printable ASCII: copy it again from the portal")
        return value or None

    def matching(self, name: str, pattern: str, expected: str, default: str = "") -> str:
        """Return a text that a pattern matches as a whole."""
        value = self.text(name) or default
        if not re.fullmatch(pattern, value, re.ASCII):
            self.reject(name, value, expected)
        return value

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """Return a decimal number from ``least`` to ``most``."""
        value = self.text(name)
        if not value:
            return default
        # float() takes more than people mean: underscores, "nan", "infinity".
        number = float(value) if re.fullmatch(r"\+?\d{1,12}(\.\d{1,12})?", value, re.ASCII) else None
        if number is None or not least <= number <= most:
            self.reject(name, value, f"a number from {least:g} to {most:g}")
            return default
        return number

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Return one of some words, written exactly so."""
        value = self.text(name) or default
        if value not in choices:
            self.reject(name, value, "one of " + ", ".join(choice or "nothing" for choice in choices))
        return value

    def choices(self, name: str, default: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        """Return some of the words, in their own order, from a text that separates them by commas."""
        value = self.text(name) or default
        chosen = [word.strip() for word in value.split(",")]
        if len(set(chosen)) < len(chosen) or not set(chosen) <= set(choices):
            self.reject(name, value, "some of " + ", ".join(choices) + ", separated by commas, each at most once")
        return tuple(choice for choice in choices if choice in chosen)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false, in any case of letters."""
        value = self.text(name).lower()
        if value and value not in (*_TRUE, *_FALSE):
            self.reject(name, value, "true or false")
        return value in _TRUE if value else default
