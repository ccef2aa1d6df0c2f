"""What holds of a finished run now: the verdict that it recorded, unless production has moved since."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from totalml.gates.record import Verdict
from totalml.recipe.gates import PRODUCTION, GateRecipe
from totalml.registry.ledger import Ledger

if TYPE_CHECKING:
    from totalml.runs.attempt import Attempt


def current_verdict(attempt: Attempt, store: Path) -> tuple[Verdict, bool]:
    """The verdict, and whether it was judged again; then it is not written down, for a finished attempt stays as it is.

    What is in production itself keeps the verdict by which it came there.

    Raises: StoreError: `gates.json` or the ledger is damaged.
    """
    recorded = Verdict.load(attempt.folder)
    gates = [GateRecipe(**gate.condition) for gate in recorded.gates]
    if not any(gate.compares for gate in gates):
        return recorded, False
    now = Ledger(store, attempt.facts["name"]).standing(PRODUCTION)
    if now == recorded.production or now is None or now.names(attempt):
        return recorded, False
    from totalml.gates.judgement import judge

    return judge(gates, attempt.folder, now), True
