"""Run a recipe: `python run.py +recipe=guinness`. See `python run.py --help`."""

import gc

gc.disable()  # collecting while thousands of classes are imported costs a third of the start

import os  # noqa: E402
import sys  # noqa: E402

from totalml.memo.recall import Memo  # noqa: E402


def main() -> int:
    memo = Memo(os.path.dirname(os.path.realpath(__file__)), sys.argv[1:])  # noqa: PTH120 - before pathlib is imported
    code = memo.tell()
    if code is None:
        from totalml.memo.keep import run_and_keep

        code = run_and_keep(memo)
    return code


if __name__ == "__main__":
    sys.exit(main())
