"""The mistakes of all jobs of a sweep at once, each once, with the jobs that have it."""

from __future__ import annotations

from collections.abc import Sequence

from totalml.errors import RecipeError
from totalml.sweep.job_format import typed

MOST_NAMED = 5


class Mistakes:
    """Collects what is wrong with jobs before any of them starts.

    Args:
        jobs: the overrides of each.
    """

    def __init__(self, jobs: Sequence[Sequence[str]]) -> None:
        self._jobs_of: dict[str, list[str]] = {}
        self._count = len(jobs)
        self._common = set(jobs[0]).intersection(*jobs[1:]) if len(jobs) > 1 else set()

    def add(self, overrides: Sequence[str], error: RecipeError) -> None:
        """Args:
        overrides: of the job that has the mistakes.
        """
        told = " ".join(typed(override) for override in overrides if override not in self._common)
        for mistake in error.mistakes:
            self._jobs_of.setdefault(mistake, []).append(told)

    def raise_if_any(self) -> None:
        """Raises: RecipeError: at least one job has a mistake."""
        if self._jobs_of:
            lines = [f"{mistake}{self._who(jobs)}" for mistake, jobs in self._jobs_of.items()]
            raise RecipeError(*lines, "nothing was started")

    def _who(self, jobs: list[str]) -> str:
        if len(jobs) == self._count:
            return f"\n  in each of the {self._count} jobs" if self._count > 1 else ""
        named = "".join(f"\n  in the job {job}" for job in jobs[:MOST_NAMED])
        more = len(jobs) - MOST_NAMED
        return named + (f"\n  and {more} more" if more > 0 else "")
