"""One W&B run, made of a run folder. Only the companion imports this module's wandb."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import wandb

from totalml.runs.attempt import RECIPE_FILE, RUN_FILE, WANDB_FOLDER
from totalml.tracking.media import media, model_artifact, report_artifact, snapshot_artifact
from totalml.tracking.payload import Payload, config_of, epoch_row, read_recipe
from totalml.tracking.staged import fault, stage

Mode = Literal["offline", "online"]
STAGING = "data"
SEND_EVERY_S = 5.0  # what a live run has to say
FATAL = '"level":"ERROR"'


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
        self._patience_s, self._logged = patience_s, set[int]()
        self._root = self._folder if self._offline else Path(tempfile.mkdtemp())
        staging = _emptied(self._root / WANDB_FOLDER) / STAGING
        # Where bytes are staged: beside the run that needs them, or moving its folder would lose them.
        os.environ["WANDB_DATA_DIR"] = os.environ["WANDB_CACHE_DIR"] = str(staging)
        facts = json.loads((self._folder / RUN_FILE).read_text(encoding="utf-8"))
        began = (self._folder / RECIPE_FILE).is_file()  # a live run is opened before it is written
        self._run = wandb.init(
            id=id,
            project=project,
            entity=entity,
            group=group,
            tags=tuple(tags),
            name=f"{facts['name']} {facts['run_id']} {facts['attempt']}",
            job_type="train",
            config=config_of(facts, read_recipe(self._folder) if began else {}),
            settings=self._settings(mode),
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
        """Raises: TimeoutError: the backend did not take everything in time. RuntimeError: it refused a part."""
        logs = Path(self._run.settings.log_internal or "")
        try:
            self._run.finish(exit_code)
            wandb.teardown()
            if not self._offline and (refused := _refused(logs)):
                raise RuntimeError(refused)
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

    def _settings(self, mode: Mode) -> wandb.Settings:
        """Nothing of the process, the code or the machine: run.json tells that, and the companion is not the run."""
        return wandb.Settings(
            mode=mode,
            root_dir=str(self._root),
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
            x_file_stream_transmit_interval=SEND_EVERY_S,
            init_timeout=self._patience_s,
            finish_timeout=self._patience_s,
            finish_timeout_raises=True,
        )


def _emptied(folder: Path) -> Path:
    """What an interrupted attempt left would stand there twice."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _without_links(folder: Path) -> None:
    """wandb's `latest-run` and the like mean nothing elsewhere, where the folder may be sent."""
    for path in folder.iterdir():
        if path.is_symlink():
            path.unlink()


def _refused(log: Path) -> str | None:
    """The last error of wandb's own log: what a backend refuses for good is written there, and raised nowhere."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    errors = [json.loads(line) for line in lines if FATAL in line]
    return None if not errors else ": ".join(str(errors[-1][key]) for key in ("msg", "error") if key in errors[-1])
