"""Which run of a recipe an alias such as `production` points at, now and before."""

from totalml.registry.ledger import Ledger
from totalml.registry.record import Promotion

__all__ = ["Ledger", "Promotion"]
