"""An alert of a W&B run that has ended. For the companion."""

from __future__ import annotations

import tempfile
from pathlib import Path

from totalml.tracking.session import begin, end


def send_alert(
    title: str,
    text: str,
    level: str,
    patience_s: float,
    id: str,  # noqa: A002
    project: str,
    entity: str | None,
) -> None:
    """Args:
        level: INFO, WARN or ERROR.
        patience_s: how long a backend is waited for, at either end.
        id: of the W&B run, which is there.

    Raises: whatever wandb does.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:
        run = begin(Path(root), "online", patience_s, id=id, project=project, entity=entity, resume="must")
        run.alert(title=title, text=text, level=level, wait_duration=0)
        end(run)
