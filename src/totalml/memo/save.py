"""Keep a memo of what was printed, if all that it rests on is known.

Whatever changed since this process began may have been read before or after it did, so then nothing is kept; a run
that was done only now is among that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TotalmlError
from totalml.memo.recall import VERSION, Memo, Said, encode
from totalml.memo.rests import rests_on
from totalml.memo.state import file_state, tree_state
from totalml.store.atomic import write_atomically
from totalml.store.stat_cache import RACY_NS

if TYPE_CHECKING:
    from totalml.recipe import Recipe

MOST_KEPT = 200  # memos of a project; the oldest go first


def save(memo: Memo, said: Said, code: int, recipe: Recipe, folder: Path) -> None:
    """Args:
    said: what was printed, in order.
    recipe, folder: what was asked for, and the finished attempt that it came to.
    """
    try:
        rests = rests_on(recipe, folder, memo)
        if rests is None:
            return
        files = {path: file_state(path) for path in rests.files}
        trees = [(root, without, *tree_state(root, without)) for root, without in rests.trees]
        times = [time_ns for state in files.values() if state for time_ns in state[3:]]
        if max(*times, *(latest for *_, latest in trees)) >= memo.started_ns - RACY_NS:
            return
        values = {"version": VERSION, "said": said, "code": code, "files": files, "trees": [tree[:3] for tree in trees]}
        write_atomically(Path(memo.file), encode(values))
        _prune(Path(memo.file).parent)
    except (OSError, TotalmlError):  # without it the next call takes a second more, and says the same
        return


def _prune(folder: Path) -> None:
    memos = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for memo in memos[:-MOST_KEPT]:
        memo.unlink(missing_ok=True)
