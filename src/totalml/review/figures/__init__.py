"""What a team of reviewers can know of itself and of the model: agreement, errors on gold, speed, live accuracy."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.review.figures.figures import TeamFigures, team_figures
    from totalml.review.figures.page import figures_html

__all__ = ["TeamFigures", "figures_html", "team_figures"]

__getattr__ = lazy_exports(__name__)
