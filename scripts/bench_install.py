"""Time `pip install -e ".[all,dev]"` in a fresh virtual environment against downloading and unpacking alone.

The peer is `pip install --no-deps` of just what the command chose, so the ratio is the price of choosing. Where bounds
collide that pip meets late, it starts over, and this shows it. Both download everything: minutes and 5 GB of disk.
"""

import argparse
import subprocess
import tempfile
import time
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LIMIT = 1.2
STARTS_OVER = "pip is looking at multiple versions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="all,dev", help="'' is the core")
    parser.add_argument("--pip", help="a version, or 'newest'; without it the one that comes with Python")
    options = parser.parse_args()
    chosen, whole, restarts = _install_and_list(options.pip, ["--editable", f"{REPOSITORY}[{options.extras}]"])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(chosen)
        pinned.flush()
        _, alone, _ = _install_and_list(options.pip, ["--no-deps", "--requirement", pinned.name])
    print(f"[{options.extras}], {len(chosen.splitlines())} packages: {whole:.0f} s, pip started over {restarts} times")
    print(f"the same already chosen: {alone:.0f} s; ratio {whole / alone:.2f}, target at most {LIMIT:g}")


def _install_and_list(pip: str | None, wanted: list[str]) -> tuple[str, float, int]:
    """What stands in a fresh environment then, as `name==version` lines; wall seconds; how often pip started over."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        call = [str(Path(folder) / "bin" / "python"), "-m", "pip"]
        if pip:
            _output([*call, "install", "--upgrade", "pip" if pip == "newest" else f"pip=={pip}"])
        print(_output([*call, "--version"]).split(" from ")[0], *wanted, flush=True)
        started = time.perf_counter()
        told = _output([*call, "install", "--no-cache-dir", *wanted])
        seconds = time.perf_counter() - started
        chosen = _output([*call, "list", "--format=freeze", "--exclude-editable", "--exclude=pip"])
        return chosen, seconds, told.count(STARTS_OVER)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
