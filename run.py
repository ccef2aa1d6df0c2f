"""Run a recipe: `python run.py +recipe=guinness`. See `python run.py --help`."""

import gc

gc.disable()  # collecting while thousands of classes are imported costs a third of the start

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from totalml.compose import main  # noqa: E402
from totalml.runner import run  # noqa: E402
from totalml.sweep import sweep  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent, run, sweep=sweep))
