"""Open the run folders that a recipe names."""

from collections.abc import Callable
from pathlib import Path

from totalml.progress import Progress
from totalml.recipe import RuntimeRecipe
from totalml.runs.folders import RunFolders
from totalml.url import is_url, working_folder

TELL = Progress("plain").say


def open_runs(runtime: RuntimeRecipe, say: Callable[[str], None] = TELL) -> RunFolders:
    """Args:
        say: tells the user a line.
    Raises: MissingExtraError: the package of a remote filesystem is not installed.
    """
    if not is_url(runtime.runs):
        return RunFolders(Path(runtime.runs), say)
    from totalml.runs.remote import RemoteRunFolders
    from totalml.store.remote import Remote

    root = working_folder(runtime.runs, "runs", runtime.cache)
    return RemoteRunFolders(root, Remote(runtime.runs, str(root)), say)
