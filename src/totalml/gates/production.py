"""What a run is compared with: the attempt that the alias `production` of its recipe points at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.recipe.gates import PRODUCTION, GateRecipe
from totalml.registry.ledger import Ledger
from totalml.registry.record import Promotion
from totalml.runs.attempt import attempts_of

if TYPE_CHECKING:
    from totalml.runs import RunFolders


def production_of(recipe: str, gates: Iterable[GateRecipe], store: Path) -> Promotion | None:
    """None: nothing is in production, or no gate asks for it."""
    return Ledger(store, recipe).standing(PRODUCTION) if any(gate.compares for gate in gates) else None


def bring_production(recipe: str, gates: Iterable[GateRecipe], store: Path, runs: RunFolders) -> None:
    """Bring the results of what is in production here, where the runs lie elsewhere."""
    if production := production_of(recipe, gates, store):
        runs.fetch(recipe, production.run_id)
        for attempt in attempts_of(runs.root / recipe / production.run_id)[0]:
            if production.names(attempt):
                runs.complete(attempt)
