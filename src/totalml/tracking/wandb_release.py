"""A release as an artifact of the W&B run that it was made of, with the aliases of the registry. For the companion."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import wandb

from totalml.tracking.session import begin, end

KIND = "model"  # what W&B's registry takes


def send_release(
    name: str,
    folder: str,
    files: Sequence[str],
    metadata: Mapping[str, Any],
    aliases: Sequence[str],
    withdrawn: Sequence[str],
    patience_s: float,
    id: str,  # noqa: A002
    project: str,
    entity: str | None,
) -> None:
    """Log it, or only move aliases to it: a backend keeps what has the same content once.

    Args:
        folder, files: where the release lies, and what it consists of.
        aliases: that point at it; W&B takes them from whatever had them.
        withdrawn: that it had, and nothing in W&B has now.
        patience_s: how long a backend is waited for, at either end.
        id: of the W&B run, which is there and has ended.

    Raises: whatever wandb does.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:
        run = begin(Path(root), "online", patience_s, id=id, project=project, entity=entity, resume="must")
        artifact = wandb.Artifact(name, KIND, metadata=dict(metadata))
        for file in files:
            artifact.add_file(str(Path(folder) / file), name=file, policy="immutable")
        logged = run.log_artifact(artifact, aliases=list(aliases))
        if withdrawn:
            logged.wait(int(patience_s) + 1)
            logged.aliases = [alias for alias in logged.aliases if alias not in withdrawn]
            logged.save()
        end(run)
