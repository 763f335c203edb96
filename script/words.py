"""Find retired words, which the project's table of words (docs/glossary.md) replaced; lint step ``words``."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

PLACES = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"),
    *("docs", "function_app.py", "shared", "cli", "local", "infra", "script", "bench", "tests"),
)
SUFFIXES = {".py", ".md", ".bicep", ".kql"}
# These files list the retired words.
LISTS = {"script/words.py", "tests/unit/test_lint.py"}


@dataclass(frozen=True)
class Retired:
    """A word that is not used any more."""

    pattern: re.Pattern[str]
    instead: str
    # A line that matches this may hold the word in another sense.
    unless: re.Pattern[str] | None = None


def _retired(pattern: str, instead: str, unless: str | None = None, *, flags: re.RegexFlag = re.IGNORECASE) -> Retired:
    return Retired(re.compile(pattern, flags), instead, re.compile(unless, re.IGNORECASE) if unless else None)


RETIRED = (
    _retired(r"\b(?:a|an|the|two|each|every|next|last|first|one|per|no|of|these) looks?\b", "poll"),
    _retired(r"\blooked\b(?! (?:for|up|after|like))", "poll"),
    _retired(r"\blooks\b(?! (?:like|up|for|after|the same))|next_?look", "poll"),
    _retired(r"\b(?:service|face|gateway|azure) (?:has )?answer|\banswer(?:s|ed)?:? (?:with )?[1-5]\d\d\b", "response"),
    _retired(r"\b(?:service's|face's|bad|good|throttled|no) answers?\b|\banswers? (?:of|from) the service", "response"),
    _retired(r"[\"'.](?:answer|Answer)\b[\"']?|\bAnswer\s*=", "response"),
    _retired(r"\brefus\w*\b.*\b429\b|\b429\b.*\brefus", "throttled", r"40[13]"),
    _retired(
        r"\bsupersed\w*",
        "(each request has its own end)",
        r"_TAG\b|tag_|\btags?\b|\bblobs?\b|retention|old-snapshots|superseded.snapshots|blobIndexMatch|['\"]superseded['\"]",
    ),
    _retired(
        r"(?<![\w.])_?logger\b\s*(?:=|\.|:)", "log", r"caplog|at_level|\blogger=\"shared", flags=re.RegexFlag.NOFLAG
    ),
    _retired(r"\b(?:MOST|LONGEST|LARGEST|LEAST|SHORTEST|SMALLEST)_\w+", "MAX_ or MIN_", flags=re.RegexFlag.NOFLAG),
    _retired(r"\ballowed (?:is|are)\b", "expected"),
)


def findings(text: str) -> list[tuple[int, str, str]]:
    """Return each retired word in a text: the number of its line, the word, and the word to use instead."""
    return [
        (number, match[0], word.instead)
        for number, line in enumerate(text.splitlines(), 1)
        for word in RETIRED
        if (match := word.pattern.search(line)) and not (word.unless and word.unless.search(line))
    ]


def main() -> int:
    found = 0
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix not in SUFFIXES or str(file.relative_to(ROOT)) in LISTS:
                continue
            for line, word, instead in findings(file.read_text(encoding="utf-8")):
                print(f"{file.relative_to(ROOT)}:{line}: found the retired word {word!r}, expected {instead}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
