"""Folds are no rivals: what is swept besides is compared by its mean over them."""

import json
import re

import numpy as np
import pytest

from totalml.sweep.backtest import FOLD, backtest, best_of
from totalml.sweep.closing import means
from totalml.sweep.page import render
from totalml.sweep.record import Job, SweepRecord

# Fold 2 is easy for all; b is best in it, a by its mean.
LOSSES = {"a": {1: 2.0, 2: 1.0, 3: 2.1}, "b": {1: 4.0, 2: 0.9, 3: 2.0}, "c": {1: 1.0, 2: None, 3: 1.0}}


def record(tmp_path, losses, direction="minimize"):
    jobs = []
    for model, by_fold in losses.items():
        for fold, loss in by_fold.items():
            number = len(jobs) + 1
            folder = tmp_path / str(number)
            folder.mkdir()
            figures = {"mae": {"value": loss}, "skill": {"value": None}}
            (folder / "metrics.json").write_text(json.dumps({"metrics": figures, "unit": "pints"}))
            done = {"status": "finished" if loss else "failed", "metric": loss, "folder": str(folder)}
            jobs.append(Job(number, (f"model={model}",), {FOLD: str(fold), "model": model}, **done))
    order = np.random.default_rng(0).permutation(len(jobs))
    listed = {jobs[place].number: jobs[place] for place in order}
    return SweepRecord(tmp_path, "sales", "1a2b", "grid", "mae", direction, listed)


def test_the_best_is_so_by_its_mean_and_its_latest_fold_is_to_be_made_again(tmp_path):
    swept = record(tmp_path, LOSSES)
    found = backtest(swept)
    assert [each.parameters["model"] for each in found] == ["a", "b", "c"]
    assert [each.mean for each in found] == [pytest.approx(1.7), pytest.approx(2.3), None]
    assert best_of(swept).parameters == {FOLD: "3", "model": "a"}
    assert swept.best().parameters["model"] != "a"


def test_more_can_be_better(tmp_path):
    swept = record(tmp_path, {"a": {1: 1.0, 2: 5.0}, "b": {1: 3.0, 2: 2.0}}, "maximize")
    assert best_of(swept).parameters == {FOLD: "2", "model": "a"}


def test_where_no_fold_is_swept_the_best_job_is_the_best(tmp_path):
    swept = record(tmp_path, {model: {1: by_fold[1]} for model, by_fold in LOSSES.items()})
    assert backtest(swept) == []
    assert best_of(swept) == swept.best()
    assert 'id="backtest"' not in render(swept)


def test_nothing_is_best_where_all_lack_a_fold(tmp_path):
    swept = record(tmp_path, {"c": LOSSES["c"]})
    assert best_of(swept) is None
    assert "Nothing has a mae of every fold" in render(swept)


def test_means_are_told_with_how_far_the_folds_differ(tmp_path):
    swept = record(tmp_path, LOSSES)
    assert [line.split() for line in means(swept, backtest(swept)).splitlines()] == [
        ["folds", "model", "mean", "mae", "least", "most"],
        ["3", "a", "1.7", "1", "2.1"],
        ["3", "b", "2.3", "0.9", "4"],
        ["2", "c", "–", "1", "1"],
    ]


def test_the_page_tells_each_figure_of_each_fold(tmp_path):
    page = render(record(tmp_path, LOSSES))
    assert "Best mean mae over 3 folds: <strong>1.7</strong> with <code>model</code> <bdi>a</bdi>." in page
    section = page.partition('id="backtest"')[2].partition("</section>")[0].replace("\N{NARROW NO-BREAK SPACE}", " ")
    rows = [re.sub("<[^>]+>", "|", row) for row in re.findall("<tr>(.*?)</tr>", section)[1:]]
    cells = [[cell for cell in row.split("|") if cell] for row in rows]
    assert cells[:4] == [
        ["mean", "a", "1.7 pints"],
        ["fold 1", "a", "2 pints"],
        ["fold 2", "a", "1 pints"],
        ["fold 3", "a", "2.1 pints"],
    ]
    assert cells[8:11] == [["mean", "c", "–"], ["fold 1", "c", "1 pints"], ["fold 2", "c", "–"]]
