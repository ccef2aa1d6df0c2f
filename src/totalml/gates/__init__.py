"""Whether a model may be released: declared conditions on any figure of its run, judged with their intervals."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.gates.judgement import judge
    from totalml.gates.production import bring_production, current_verdict, production_of
    from totalml.gates.record import GateResult, Verdict

__all__ = ["GateResult", "Verdict", "bring_production", "current_verdict", "judge", "production_of"]

__getattr__ = lazy_exports(__name__)
