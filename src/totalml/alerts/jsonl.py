"""A file with a line for each notice, below the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import AlertError
from totalml.store.atomic import write_all

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert


def append_line(project: Path, name: str, alert: Alert) -> None:
    """Whole and synced; a line that a killed process left half is ended first.

    Raises: AlertError: a link leads out of the project. OSError: it cannot be written.
    """
    path = project / name
    if not path.resolve().is_relative_to(project.resolve()):
        raise AlertError(f"{name} leads out of the project {project}; name a file below it")
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"mark": alert.mark, **alert.as_json()}, ensure_ascii=False).encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        write_all(descriptor, b"\n" + line if torn else line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
