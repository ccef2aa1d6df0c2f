"""Open the store that a recipe names: a folder of this machine, or one that stands before a remote store."""

from collections.abc import Callable
from pathlib import Path

from totalml.progress import Progress
from totalml.recipe import RuntimeRecipe
from totalml.store.store import Store
from totalml.url import is_url, working_folder

TELL = Progress("plain").say


def open_store(runtime: RuntimeRecipe, say: Callable[[str], None] = TELL) -> Store:
    """Args:
        say: tells the user a line, such as what was damaged.
    Raises: MissingExtraError: the package of a remote filesystem is not installed.
    """
    if not is_url(runtime.store):
        return Store(Path(runtime.store))
    from totalml.store.mirror import Mirror
    from totalml.store.remote import Remote

    root = working_folder(runtime.store, "store", runtime.cache)
    return Store(root, Mirror(root, Remote(runtime.store, str(root)), say))
