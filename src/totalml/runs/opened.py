"""Open the run folders that a recipe names."""

from collections.abc import Callable
from pathlib import Path

from totalml.progress import Progress
from totalml.runs.folders import RunFolders
from totalml.url import is_url, working_folder

TELL = Progress("plain").say


def open_runs(place: str, cache: str, say: Callable[[str], None] = TELL) -> RunFolders:
    """Args:
        place: a folder, or a URL.
        cache: holds the folder that stands before a URL.
        say: tells the user a line.
    Raises: MissingExtraError: the package of a remote filesystem is not installed.
    """
    if not is_url(place):
        return RunFolders(Path(place), say)
    from totalml.runs.remote import RemoteRunFolders
    from totalml.store.remote import Remote

    root = working_folder(place, "runs", cache)
    return RemoteRunFolders(root, Remote(place, str(root)), say)
