"""Which release or run of a model an alias such as `production` points at, now and before."""

from totalml.registry.aliases import Aliases, models
from totalml.registry.record import Promotion

__all__ = ["Aliases", "Promotion", "models"]
