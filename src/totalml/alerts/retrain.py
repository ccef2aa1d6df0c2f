"""Train once more, as a process of its own: it takes a new snapshot, runs, asks the gates, and stops at `candidate`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from totalml.errors import AlertError
from totalml.recipe.where import RuntimeRecipe

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.recipe.alerting import RetrainRecipe
    from totalml.store import Store

LOGS = "alerts"  # folder of the store: what a run that was started says
ENTRY = "run.py"


def command(model: str, settings: RetrainRecipe, place: Place | None) -> list[str]:
    """Words after `python`."""
    # Whatever the recipe says, no new model answers because an alert was raised.
    words = [ENTRY, f"+recipe={settings.recipe or model}", *settings.overrides, "registry.alias=candidate"]
    default = RuntimeRecipe()
    if place is not None and place.store_url:
        words.append(f"runtime.store={place.store_url}")
    elif place is not None and place.store != place.project / default.store:
        words.append(f"runtime.store={place.store}")
    if place is not None and place.runs != place.project / default.runs:
        words.append(f"runtime.runs={place.runs}")
    return words


def proposed(model: str, settings: RetrainRecipe, place: Place | None) -> str:
    return shlex.join(["python", *command(model, settings, place)])


def require_project(place: Place) -> None:
    """Raises: AlertError: nothing can be run there."""
    if not (place.project / ENTRY).is_file():
        raise AlertError(f"{place.project} has no {ENTRY}; give the command where the project lies")


def run_to_its_end(id_: str, words: list[str], store: Store, place: Place) -> int:
    """Returns: its exit code; what it says is kept as `alerts/<alert id>.log` of the store.

    Raises: OSError: it cannot be started.
    """
    log = store.folder(LOGS) / f"{id_}.log"
    with log.open("ab") as out:
        return subprocess.run(  # noqa: S603 - words of a file that was validated, and no shell
            [sys.executable, *words],
            cwd=place.project,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it goes on where whoever started it ends
            check=False,
        ).returncode
