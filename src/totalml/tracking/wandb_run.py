"""One W&B run, made of a run folder. Only the companion imports this."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from totalml.runs.attempt import RECIPE_FILE, RUN_FILE, WANDB_FOLDER
from totalml.runs.stored import stored_values
from totalml.tracking.media import media, model_artifact, report_artifact, snapshot_artifact
from totalml.tracking.payload import Payload, config_of, epoch_row
from totalml.tracking.session import Mode, begin, end
from totalml.tracking.staged import fault, stage


class WandbRun:
    """Args:
    folder: of the attempt.
    store: root of the store on this machine; pictures come from it.
    mode: offline writes below the attempt's folder and speaks with nobody; online sends, and leaves nothing there.
    patience_s: how long a backend is waited for, at either end.

    Raises: whatever wandb does.
    """

    def __init__(
        self,
        folder: str,
        store: str,
        mode: Mode,
        patience_s: float,
        id: str,  # noqa: A002
        project: str,
        entity: str | None,
        group: str | None,
        tags: Sequence[str],
    ) -> None:
        self._folder, self._store, self._offline = Path(folder), Path(store), mode == "offline"
        self._logged = set[int]()
        self._root = self._folder if self._offline else Path(tempfile.mkdtemp())
        _empty(self._root / WANDB_FOLDER)
        facts = json.loads((self._folder / RUN_FILE).read_text(encoding="utf-8"))
        began = (self._folder / RECIPE_FILE).is_file()  # a live run is opened before it is written
        self._run = begin(
            self._root,
            mode,
            patience_s,
            id=id,
            project=project,
            entity=entity,
            group=group,
            tags=tuple(tags),
            name=f"{facts['name']} {facts['run_id']} {facts['attempt']}",
            job_type="train",
            config=config_of(facts, stored_values(self._folder) if began else {}),
        )
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    def epoch(self, values: dict[str, Any]) -> None:
        """A point of every curve."""
        self._run.log(epoch_row(values, values["score"]))
        self._logged.add(values["epoch"])

    def complete(self) -> str | None:
        """Log all that the folder holds and finish.

        Returns: the address of the run on the backend.
        """
        told = Payload.read(self._folder)
        config: Any = self._run.config
        config.update(config_of(told.facts, told.recipe), allow_val_change=True)
        for epoch in told.training["history"]:
            if epoch["epoch"] not in self._logged:
                self.epoch(epoch | {"score": told.training["score"]})
        if fault(self._folder):
            stage(told, self._store)
        self._run.log(media(told))
        self._run.summary.update(told.summary())
        self._link(told)
        url = None if self._offline else self._run.url
        self.finish()
        return url

    def finish(self, exit_code: int = 0) -> None:
        """Raises: as `end`."""
        try:
            end(self._run, exit_code)
        finally:
            if self._offline:
                _without_links(self._folder / WANDB_FOLDER)
            else:
                shutil.rmtree(self._root, ignore_errors=True)

    def _link(self, told: Payload) -> None:
        """Snapshot -> run -> model."""
        # What `use_artifact` does, but that refuses offline, and online waits for the backend in the middle of a run.
        self._run._log_artifact(snapshot_artifact(told), is_user_created=True, use_after_commit=True)
        self._run.log_artifact(model_artifact(told))
        self._run.log_artifact(report_artifact(told))


def _empty(folder: Path) -> None:
    """What an interrupted attempt left would stand there twice."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _without_links(folder: Path) -> None:
    """wandb's `latest-run` and the like mean nothing elsewhere, where the folder may be sent."""
    for path in folder.iterdir():
        if path.is_symlink():
            path.unlink()
