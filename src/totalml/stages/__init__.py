"""What the result of each stage depends on, and the results that are kept for the next run."""

from totalml.stages.stage_cache import Definition, Stages

__all__ = ["Definition", "Stages"]
