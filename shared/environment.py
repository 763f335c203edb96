"""Take settings one by one, and note what is wrong with them instead of stopping at the first."""

import re
from collections.abc import Mapping

_FALSE, _TRUE = ("false", "0"), ("true", "1")


class EnvironmentReader:
    """Read settings by name; a blank one counts as absent. Gather in ``problems`` what cannot be used."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """Return what a setting holds, without the white space around it; empty where it is absent."""
        return self._environment.get(name, "").strip()

    def has_any(self, prefix: str) -> bool:
        """Tell whether any setting whose name begins so holds something."""
        return any(name.startswith(prefix) and value.strip() for name, value in self._environment.items())

    def refuse(self, name: str, found: str, allowed: str) -> None:
        """Note that a setting cannot be used; ``found`` is shown."""
        self.problems.append(f"{name} is {found!r}; allowed is {allowed}")

    def refuse_address(self, name: str, found: str, allowed: str) -> None:
        """Note that an address cannot be used; show it only where it can hold no key, password or signature."""
        if re.fullmatch(r"[^@?#=;&%]*(\.|://)[^@?#=;&%]*", found):
            self.refuse(name, found, allowed)
        elif found:
            self.problems.append(f"{name} is no such address (its value is not shown); allowed is {allowed}")
        else:
            self.problems.append(f"{name} is missing; it must be {allowed}")

    def secret(self, name: str) -> str | None:
        """Return a secret, which no problem shows."""
        value = self.text(name)
        if not value.isascii() or not value.isprintable():
            self.problems.append(f"{name} holds characters that no key has; copy it again from the portal")
        return value or None

    def matching(self, name: str, pattern: str, allowed: str, default: str = "") -> str:
        """Return a text that a pattern matches wholly."""
        value = self.text(name) or default
        if not re.fullmatch(pattern, value, re.ASCII):
            self.refuse(name, value, allowed)
        return value

    def number(self, name: str, default: float, *, above: float, most: float) -> float:
        """Return a decimal number, larger than ``above`` and at most ``most``."""
        value = self.text(name)
        if not value:
            return default
        # float() takes more than people mean: underscores, "nan", "infinity".
        number = float(value) if re.fullmatch(r"\+?\d{1,12}(\.\d{1,12})?", value, re.ASCII) else None
        if number is None or not above < number <= most:
            low = "0" if above < 0 else f"more than {above:g}"
            self.refuse(name, value, f"a number, {low} to {most:g}")
            return default
        return number

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of the allowed words, written exactly so."""
        value = self.text(name) or default
        if value not in allowed:
            self.refuse(name, value, "one of " + ", ".join(allowed))
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false, in any case of letters."""
        value = self.text(name).lower()
        if value and value not in (*_TRUE, *_FALSE):
            self.refuse(name, value, "true or false")
        return value in _TRUE if value else default
