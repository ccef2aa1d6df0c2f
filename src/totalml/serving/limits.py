"""What the service takes at most; looked at before anything is read or decoded."""

from __future__ import annotations

from dataclasses import dataclass

STOPS_WITHIN_S = 1.5  # each of its threads; then the process ends without it


@dataclass(frozen=True)
class Limits:
    """Args:
    body_bytes: of a request.
    held_bytes: of the bodies of all requests under way; more are told to come again.
    samples: in a request.
    at_once: requests under way; more are told to come again.
    body_s: that a client may take to send its request.
    batch: samples that are scored at once where requests queue.
    """

    body_bytes: int = 32 * 2**20
    held_bytes: int = 256 * 2**20
    samples: int = 64
    at_once: int = 256
    body_s: float = 20.0
    batch: int = 16
