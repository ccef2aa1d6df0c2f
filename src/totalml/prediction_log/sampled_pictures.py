"""Pictures that were kept of some requests: pictures/<model>/<day>/<hash of the input>, as they were sent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from totalml.identity import drawn, short

if TYPE_CHECKING:
    from totalml.store import Store

PICTURES = "pictures"


def is_sampled(request_id: str, share: float) -> bool:
    """Whether a request belongs to a share in [0, 1] of all; the same in each replica, and for a larger share too."""
    return drawn("sampled request v1", request_id.encode()) < share


def save_picture(store: Store, model: str, when: datetime, hashed: str, picture: bytes) -> None:
    """Args:
    when: in UTC.
    hashed: of the input.
    """
    store.save_file(picture, PICTURES, model, f"{when:%Y-%m-%d}", short(hashed, 64))


def kept_pictures(store: Store, model: str, hashes: Collection[str]) -> dict[str, str]:
    """Hash of an input -> name of its picture in the store, of those that were kept and are still there."""
    sought = {short(hashed, 64): hashed for hashed in hashes}
    return {
        sought[name]: f"{PICTURES}/{model}/{day}/{name}"
        for day in store.names(PICTURES, model)
        for name in sought.keys() & {*store.names(PICTURES, model, day)}
    }


def remove_pictures(store: Store, model: str, hashes: Collection[str]) -> int:
    """Returns: how many there were."""
    names, removed = {short(hashed, 64) for hashed in hashes}, 0
    for day in store.names(PICTURES, model):
        for name in names & {*store.names(PICTURES, model, day)}:
            store.remove_file(PICTURES, model, day, name)
            removed += 1
    return removed
