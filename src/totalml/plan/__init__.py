"""How much of each lever to use, how sure it is that this is better, and what to try next."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.plan.advise import Advice, Asked, advise
    from totalml.plan.allocate import allocate
    from totalml.plan.make import make_plan
    from totalml.plan.planned import check_plan
    from totalml.plan.record import Plan

__all__ = ["Advice", "Asked", "Plan", "advise", "allocate", "check_plan", "make_plan"]

__getattr__ = lazy_exports(__name__)
