"""A real report and comparison of two small runs, a sweep, a monitor, and a report full of what strangers write."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.browser import Browser, chromium, open_browser
from tests.monitoring.looked import sixty_days
from tests.report.conftest import content_of, history_of
from tests.report.test_report_regression import measured
from tests.review.judged import weeks_of_reviews
from tests.sweep.test_sweep_page import jobs_of, record_of
from tests.tracking.conftest import Place
from totalml.cli import main
from totalml.monitoring.page import write_monitor_page
from totalml.recipe.review import ReviewRecipe
from totalml.report.page import write_report
from totalml.review.figures import team_figures
from totalml.review.figures.page import write_figures
from totalml.review.figures.resolved import resolved
from totalml.store import Store
from totalml.sweep.page import write_page

__all__ = ["content_of", "history_of"]  # fixtures

DEPTH = ("evaluation.depth=full", "evaluation.slices.columns=[age_group,light]", "evaluation.slices.min_support=5")
NASTY = '<img src=x onerror="alert(1)">\u202e\U0001f37a ' + "very " * 30 + "long"
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    command = chromium()
    if command is None:
        pytest.skip("needs Chromium: none is on the path; TOTALML_CHROMIUM can name one")
    with open_browser(command, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two runs of different length."""
    place = Place(tmp_path_factory.mktemp("pages"))
    for epochs in (1, 2):
        place.go(f"training.epochs={epochs}", *DEPTH)
    return place


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The page that the test asks for by name."""
    if request.param == "monitor":
        return write_monitor_page(tmp_path / "monitor.html", sixty_days(deployment=NASTY))
    if request.param == "figures":
        people = {NASTY: 0.15, "Aoife": 0.02, "Seán": 0.05}
        reviews = weeks_of_reviews(Store(tmp_path / "store"), people, NOW, ["Mulligan's", NASTY])
        figures = team_figures(reviews, partial(resolved, settings=ReviewRecipe()), None, NOW)
        return write_figures(tmp_path / "figures.html", figures)
    if request.param in ("report", "comparison"):
        place: Place = request.getfixturevalue("place")
    if request.param == "report":
        return sorted(place.runs.glob("*/*/1/report.html"))[-1]
    if request.param == "comparison":
        file = tmp_path / "compare.html"
        where = ["--runs", str(place.runs), "--store", str(place.store), "--page", str(file)]
        assert main(["compare", "guinness_smoke", *where]) == 0
        return file
    if request.param == "sweep":
        return write_page(record_of(tmp_path, jobs_of()))
    make = request.getfixturevalue("content_of")
    if request.param == "regression":
        return write_report(tmp_path, make(evaluation=measured(), score="mae"))
    ids = [f"{NASTY}{number}" for number in range(60)]
    return write_report(tmp_path, make(classes=(NASTY, "good", "a" * 200), ids=ids, skipped={NASTY: NASTY}))
