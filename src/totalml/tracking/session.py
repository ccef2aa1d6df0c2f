"""A session of wandb: it tells nothing of this machine, and is closed only when all has arrived. For the companion."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import wandb

from totalml.runs.attempt import WANDB_FOLDER

Mode = Literal["offline", "online"]
STAGING = "data"
SEND_EVERY_S = 5.0  # what a live run has to say
FATAL = '"level":"ERROR"'


def begin(root: Path, mode: Mode, patience_s: float, **run: Any) -> wandb.Run:
    """Args:
        root: whatever wandb writes comes below it.
        patience_s: how long a backend is waited for, at either end.
        run: further arguments of `wandb.init`.

    Raises: whatever wandb does.
    """
    # Where bytes are staged: beside the run that needs them, or moving its folder would lose them.
    os.environ["WANDB_DATA_DIR"] = os.environ["WANDB_CACHE_DIR"] = str(root / WANDB_FOLDER / STAGING)
    return wandb.init(settings=_settings(root, mode, patience_s), **run)


def end(run: wandb.Run, exit_code: int = 0) -> None:
    """Raises: TimeoutError: the backend did not take everything in time. RuntimeError: it refused a part."""
    logs, offline = Path(run.settings.log_internal or ""), run.settings.mode == "offline"
    run.finish(exit_code)
    wandb.teardown()
    if not offline and (refused := _refused(logs)):
        raise RuntimeError(refused)


def _settings(root: Path, mode: Mode, patience_s: float) -> wandb.Settings:
    """Nothing of the process, the code or the machine: run.json tells that, and the companion is not the run."""
    return wandb.Settings(
        mode=mode,
        root_dir=str(root),
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
        init_timeout=patience_s,
        finish_timeout=patience_s,
        finish_timeout_raises=True,
    )


def _refused(log: Path) -> str | None:
    """The last error of wandb's own log: what a backend refuses for good is written there, and raised nowhere."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    errors = [json.loads(line) for line in lines if FATAL in line]
    return None if not errors else ": ".join(str(errors[-1][key]) for key in ("msg", "error") if key in errors[-1])
