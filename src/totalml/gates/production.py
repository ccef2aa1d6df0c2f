"""What a run is compared with: the attempt that the alias `production` of its recipe points at.

And what its gates say now, if production has moved since the run recorded its verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from totalml.gates.record import Verdict
from totalml.recipe.gates import PRODUCTION, GateRecipe
from totalml.registry import Aliases, Promotion
from totalml.runs.attempt import Attempt, attempts_of
from totalml.store import Store

if TYPE_CHECKING:
    from totalml.runs import RunFolders


def production_of(recipe: str, gates: Iterable[GateRecipe], store: Store) -> Promotion | None:
    """None: nothing is in production, or no gate asks for it."""
    return Aliases(store, recipe).standing(PRODUCTION) if any(gate.compares for gate in gates) else None


def bring_production(recipe: str, gates: Iterable[GateRecipe], store: Store, runs: RunFolders) -> None:
    """Bring the results of what is in production here, where the runs lie elsewhere."""
    if production := production_of(recipe, gates, store):
        runs.fetch(recipe, production.run_id)
        for attempt in attempts_of(runs.root / recipe / production.run_id)[0]:
            if production.names(attempt):
                runs.complete(attempt)


def current_verdict(attempt: Attempt, store: Store) -> tuple[Verdict, bool]:
    """The verdict, and whether it was judged again; then it is not written down, for a finished attempt stays as it is.

    What is in production itself keeps the verdict by which it came there.

    Raises: StoreError: `gates.json` or the journal is damaged.
    """
    recorded = Verdict.load(attempt.folder)
    gates = [GateRecipe(**gate.condition) for gate in recorded.gates]
    if not any(gate.compares for gate in gates):
        return recorded, False
    now = Aliases(store, attempt.facts["name"]).standing(PRODUCTION)
    if now == recorded.production or now is None or now.names(attempt):
        return recorded, False
    from totalml.gates.judgement import judge

    return judge(gates, attempt.folder, now), True
