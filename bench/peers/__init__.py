"""Run what others would use, in an environment of its own, so that the app's stays as it is locked."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".bench"
_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "requirements.txt"


def set_up() -> None:
    """Make the peers' environment below `.bench`, with uv where there is one; quick when it is there."""
    made_of = HOME / "peers" / "requirements.txt"
    if made_of.is_file() and made_of.read_text() == _REQUIREMENTS.read_text():
        return
    uv = shutil.which("uv") or shutil.which(ROOT / ".bootstrap/uv/bin/uv")
    if uv:
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(HOME / "peers"))
        _run(uv, "pip", "install", "--quiet", "--python", str(_python()), "--requirement", str(_REQUIREMENTS))
    else:
        _run(sys.executable, "-m", "venv", "--clear", str(HOME / "peers"))
        _run(str(_python()), "-m", "pip", "install", "--quiet", "--requirement", str(_REQUIREMENTS))
    made_of.write_text(_REQUIREMENTS.read_text())


def run_script(name: str, *arguments: str) -> str:
    """Run a script of this folder in the peers' environment, and return what it prints."""
    return _run(str(_python()), str(_HERE / name), *arguments)


def draw(name: str, figures: str, picture: Path) -> None:
    """Draw the figures (JSON) of the bench of that name."""
    figures_file = scratch("figures") / f"{name}.json"
    figures_file.write_text(figures)
    run_script(f"draw_{name}.py", str(figures_file), str(picture))


def scratch(name: str) -> Path:
    """Return an empty directory below `.bench`."""
    directory = HOME / "scratch" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _python() -> Path:
    return HOME / "peers" / "bin" / "python"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
