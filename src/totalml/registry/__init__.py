"""Which release or run of a model an alias such as `production` points at, now and before."""

from totalml.registry.aliases import Aliases, models
from totalml.registry.record import REGISTERED, Promotion

__all__ = ["REGISTERED", "Aliases", "Promotion", "models"]
