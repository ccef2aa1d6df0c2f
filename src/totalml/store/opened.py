"""Open the store that a recipe names: a folder of this machine, or one that stands before a remote store."""

from collections.abc import Callable
from pathlib import Path

from totalml.progress import Progress
from totalml.store.store import Store
from totalml.url import is_url, working_folder

TELL = Progress("plain").say


def open_store(place: str, cache: str, say: Callable[[str], None] = TELL) -> Store:
    """Args:
        place: a folder, or a URL.
        cache: holds the folder that stands before a URL.
        say: tells the user a line, such as what was damaged.
    Raises: MissingExtraError: the package of a remote filesystem is not installed.
    """
    if not is_url(place):
        return Store(Path(place))
    from totalml.store.mirror import Mirror
    from totalml.store.remote import Remote

    root = working_folder(place, "store", cache)
    return Store(root, Mirror(root, Remote(place, str(root)), say))
