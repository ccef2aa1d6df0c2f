"""Hold each window of traffic against the reference of its release, and say what caused what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.monitoring.verdict import Verdict


class Monitor(Protocol):
    """What `Watch` asks of it."""

    def would_alarm(self, rows: pa.Table, labelled: pa.Table) -> bool:
        """Whether a test that runs along with the rows finds something by now; changes no state that is kept."""

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table) -> Verdict:
        """Args:
        rows: that are new.
        labelled: whose labels are new, with `loss`.
        together: the rows that the window test looks at; with those of earlier windows that had too few.
        """

    def state(self) -> dict[str, Any]:
        """Plain JSON, of finite numbers."""

    def restore(self, state: Mapping[str, Any]) -> None: ...
