"""Values to look at of a shared feature: those that the store keeps, or made now of the rows of a run that uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from totalml.catalogue.stored_values import kept_values
from totalml.errors import TotalmlError
from totalml.features.shared.columns import rows_of
from totalml.features.shared.materialised import timed_values
from totalml.runs.attempt import RUN_FILE

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.catalogue.named import Named
    from totalml.catalogue.uses import Use
    from totalml.store import Store


def data_of(named: Named, used: list[Use], store: Store) -> tuple[str, str]:
    """The data hash of a snapshot that the feature is made of and that stands in the store, and what it is called.

    Both are empty where there is none.
    """
    from totalml.data.snapshot import has_snapshot

    if named.values["source"]:
        kept = kept_values(store).get(named.id)
        hashes = [kept.data_hash] if kept else []
        hashes += [each.snapshot for each in reversed(used) if each.id == named.id and each.snapshot]
        told = "its source"
        return next(((found, told) for found in hashes if has_snapshot(found, store)), ("", ""))
    runs = [each for each in reversed(used) if each.by == "run" and each.feature == named.name]
    for each in sorted(runs, key=lambda use: use.id != named.id):  # of one with this very definition, if there is
        found = _data_hash(each)
        if found and has_snapshot(found, store):
            return found, f"the rows of run {each.who}"
    return "", ""


def values_for(named: Named, data_hash: str, store: Store) -> pa.Table:
    """As `timed_values`. Raises: FeatureError: the definition does not fit the rows."""
    from totalml.data.snapshot import load_snapshot

    return timed_values(named.feature(), rows_of(load_snapshot(data_hash, store)), store)


def whole_values(named: Named, used: list[Use], store: Store) -> tuple[pa.Table | None, str]:
    """Values, and what they were made of; None, and why there are none."""
    kept = kept_values(store).get(named.id) if named.values["source"] else None
    if kept is not None:
        return kept.values(), "its source"
    data_hash, told = data_of(named, used, store)
    if not data_hash:
        mend = "totalml features materialize computes them" if named.values["source"] else "run a recipe that uses it"
        return None, f"no rows of it are in the store; {mend}"
    try:
        return values_for(named, data_hash, store), told
    except TotalmlError as error:
        return None, f"made of {told} it fails: {error}"


def _data_hash(use: Use) -> str:
    try:
        return str(json.loads((use.folder / RUN_FILE).read_text(encoding="utf-8"))["data_hash"]) if use.folder else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
