"""What the service takes at most; looked at before anything is read or decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from totalml.deployment.deployment import LimitsRecipe

_TOLD = LimitsRecipe()


@dataclass(frozen=True)
class Limits:
    """Args:
    body_bytes: of a request.
    held_bytes: of the bodies of all requests under way; more are told to come again.
    samples: in a request.
    megapixels: of the pictures of a request together, as their headers say; a single one is bounded by its signature.
    at_once: requests under way; more are told to come again.
    body_s: that a client may take to send its request.
    batch: samples that are scored at once where requests queue.
    """

    body_bytes: int = int(_TOLD.body_megabytes * 1e6)
    held_bytes: int = 256_000_000
    samples: int = _TOLD.samples
    megapixels: float = _TOLD.megapixels
    at_once: int = _TOLD.requests_at_once
    body_s: float = _TOLD.body_seconds
    batch: int = 16

    @classmethod
    def of(cls, told: LimitsRecipe) -> Self:
        return cls(
            body_bytes=int(told.body_megabytes * 1e6),
            samples=told.samples,
            megapixels=told.megapixels,
            at_once=told.requests_at_once,
            body_s=told.body_seconds,
        )
