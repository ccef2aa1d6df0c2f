"""The report of a run inside a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from totalml.report.markup import tag

HEIGHT_PX = 720
# Links to sections of the page would otherwise lead to the notebook's own address.
BASE = '<base href="about:srcdoc">'


@dataclass(frozen=True)
class Report:
    """Args:
    path: of report.html.
    """

    path: Path

    def _repr_html_(self) -> str:
        """The whole page in a frame of its own: it can neither run scripts nor touch the notebook."""
        page = self.path.read_text(encoding="utf-8").replace("<head>", f"<head>{BASE}", 1)
        style = f"width: 100%; height: {HEIGHT_PX}px; border: 1px solid #8886; box-sizing: border-box"
        return tag("iframe", srcdoc=page, sandbox="", style=style, title=f"Report {self.path.parent.parent.name}")
