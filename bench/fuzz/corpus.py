"""The inputs that are kept: one JSON file a target, the bytes as Latin-1, which ``script/test`` reads again."""

import json
from hashlib import sha256
from pathlib import Path

KEPT = Path(__file__).parents[2] / "tests/data/fuzz"


def read_kept(target: str) -> list[bytes]:
    """Return a target's inputs."""
    path = KEPT / f"{target}.json"
    return [text.encode("latin-1") for text in json.loads(path.read_text("utf-8"))] if path.is_file() else []


def keep(target: str, inputs: list[bytes]) -> None:
    """Keep a target's inputs."""
    texts = sorted({data.decode("latin-1") for data in inputs})
    (KEPT / f"{target}.json").write_text(json.dumps(texts, indent=0) + "\n", "utf-8")


def unpack(inputs: list[bytes], folder: Path) -> None:
    """Write inputs as files, as the fuzzer reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / sha256(data).hexdigest()[:16]).write_bytes(data)


def pack(folder: Path) -> list[bytes]:
    """Return the files of a folder."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]
