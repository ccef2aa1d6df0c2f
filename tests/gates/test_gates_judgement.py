"""Gates against models whose mistakes are known one by one."""

import shutil

import numpy as np
import pytest

from totalml.data.snapshot import parquet_bytes, read_parquet
from totalml.evaluation import Interval
from totalml.evaluation.record import Evaluation
from totalml.evaluation.shares import wilson, z_of
from totalml.gates import Verdict, judge
from totalml.gates.against import apart
from totalml.gates.figures import figures_of
from totalml.quality import Finding, QualityReport
from totalml.recipe import GateRecipe


def one(folder, production=None, **gate):
    (result,) = judge([GateRecipe(**gate)], folder, production).gates
    return result


def test_a_figure_surely_on_the_right_side_passes_and_on_the_wrong_one_fails(model):
    folder = model("aaaaaaaa-00000001", range(20))  # 95 %
    assert one(folder, metric="accuracy", at_least=0.9).outcome == "passed"
    assert one(folder, metric="accuracy", at_least=0.99).outcome == "failed"
    assert one(folder, metric="accuracy", at_most=0.9).outcome == "failed"


@pytest.mark.parametrize("choice", ["fail", "pass"])
def test_the_recipe_chooses_what_undecided_means(model, choice):
    result = one(model("aaaaaaaa-00000001", range(20)), metric="accuracy", at_least=0.94, undecided=choice)
    assert (result.outcome, result.passed) == ("undecided", choice == "pass")
    assert 400 < result.would_decide < 20_000


def test_a_star_means_every_figure_and_the_worst_one_is_told(model):
    folder = model("aaaaaaaa-00000001", range(0, 80, 2))  # 40 mistakes, all on `bad`
    result = one(folder, metric="per_class.*.recall", at_least=0.9)
    assert (result.figure, result.outcome) == ("per_class.bad.recall", "failed")
    assert (result.looked_at, result.beyond) == (2, 1)


def test_a_figure_that_is_not_there_fails_and_names_those_that_are(model):
    folder = model("aaaaaaaa-00000001", [])
    result = one(folder, metric="per_class.god.recall", at_least=0.1, undecided="pass")
    assert not result.passed
    assert "did you mean 'per_class.good.recall'?" in result.remark
    listed = one(folder, metric="per_class.x.*", at_least=0.1)
    assert "per_class.bad.precision" in listed.remark


def test_where_there_is_nothing_to_judge_nothing_is_shown(model):
    result = one(model("aaaaaaaa-00000001", []), metric="slices.*.gap", at_least=-0.1)
    assert (result.outcome, result.passed) == ("undecided", False)


def test_no_mistake_among_few_is_not_certainty(model):
    """Resampling four hundred right answers gives no other; Wilson's interval knows better."""
    folder = model("aaaaaaaa-00000001", [])
    low = wilson(np.array([400]), np.array([400]), z_of(0.95))[0][0]
    assert one(folder, metric="accuracy", at_least=0.999).outcome == "undecided"
    assert one(folder, metric="accuracy", at_least=0.9).value == Interval(1.0, pytest.approx(low), 1.0)


def test_without_resamples_the_value_counts(model):
    folder = model("aaaaaaaa-00000001", range(20), bootstrap=0)
    assert one(folder, metric="accuracy", at_least=0.95).outcome == "passed"
    assert one(folder, metric="accuracy", at_least=0.951).outcome == "failed"


def test_counts_of_findings_are_figures(model, tmp_path):
    folder = model("aaaaaaaa-00000001", range(20))
    QualityReport(("Blur", "Exposure"), (Finding("Blur", "warn", "x"),) * 2).save(folder)
    figures = figures_of(folder, Evaluation.load(folder))
    assert {name: figures[name].value for name in figures if name.startswith("quality")} == {
        "quality.findings": 2.0,
        "quality.findings.Blur": 2.0,
        "quality.findings.Exposure": 0.0,
    }
    assert one(folder, metric="quality.findings", at_most=1).outcome == "failed"


def test_the_first_model_passes_because_nothing_is_in_production(model):
    result = one(model("aaaaaaaa-00000001", range(200)), metric="accuracy", at_least="production")
    assert result.passed
    assert "nothing is in production yet" in result.remark


def test_a_clear_loss_fails_though_the_intervals_of_both_overlap(model, promote):
    """95.0 against 97.5 %, and every mistake of production is one of ours: paired, that is no chance."""
    production = promote(model("aaaaaaaa-00000001", range(10)))
    ours = model("bbbbbbbb-00000001", range(20), seed=1)
    result = one(ours, production, metric="accuracy", at_least="production")
    assert result.how == "paired"
    assert result.outcome == "failed"
    assert result.value.value == pytest.approx(-0.025)
    assert result.ours.high > result.theirs.low
    assert one(ours, production, metric="accuracy", at_least="production", margin=0.06).outcome == "passed"
    assert one(ours, production, metric="accuracy", at_least="production", margin=0.03).outcome == "undecided"


def test_samples_are_paired_by_their_ids_whatever_their_order(model, promote):
    first = model("aaaaaaaa-00000001", range(10))
    production = promote(first)
    ours = model("bbbbbbbb-00000001", range(20), seed=1)

    def differences():
        metrics = ("accuracy", "auroc", "per_class.bad.recall")
        return [one(ours, production, metric=metric, at_least="production").value for metric in metrics]

    before = differences()
    table = read_parquet((first / "predictions.parquet").read_bytes())
    (first / "predictions.parquet").write_bytes(parquet_bytes(table.take(list(reversed(range(400))))))
    assert differences() == before


def test_other_test_samples_are_compared_as_such_and_it_says_so(model, promote):
    production = promote(model("aaaaaaaa-00000001", range(10), ids=[f"other{k}" for k in range(400)]))
    result = one(model("bbbbbbbb-00000001", range(20)), production, metric="accuracy", at_least="production")
    assert result.how == "apart"
    assert "the test samples are not the same" in result.remark
    assert result.outcome == "undecided"


def test_two_intervals_make_that_of_a_difference_as_published():
    """Newcombe 1998, example (a) of two independent shares, 56/70 and 48/80, by method 10."""
    ours, theirs = (
        Interval(hits / count, *(float(end[0]) for end in wilson(np.array([hits]), np.array([count]), z_of(0.95))))
        for hits, count in ((56, 70), (48, 80))
    )
    gap = apart(ours, theirs)
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize("metric", ["f1", "auroc", "balanced_accuracy", "per_class.good.precision", "ece"])
def test_other_metrics_are_resampled_in_pairs(model, promote, metric):
    production = promote(model("aaaaaaaa-00000001", range(10)))
    ours = model("bbbbbbbb-00000001", range(60), seed=0)
    result = one(ours, production, metric=metric, at_least="production")
    assert result.how == "paired"
    assert result.value.value == pytest.approx(result.ours.value - result.theirs.value, abs=1e-6)
    apart = (result.ours.high - result.ours.low + result.theirs.high - result.theirs.low) / 2
    assert result.value.high - result.value.low < 2 * apart
    if metric != "ece":
        assert result.outcome == "failed"


def test_the_very_model_that_is_in_production_passes(model, promote, tmp_path):
    first = model("aaaaaaaa-00000001", range(20))
    production = promote(first)
    again = tmp_path / "runs" / "pints" / "bbbbbbbb-00000001" / "1"
    shutil.copytree(first, again)
    for metric in ("accuracy", "auroc", "per_class.*.recall"):
        assert one(again, production, metric=metric, at_least="production").passed


def test_production_that_is_gone_shows_nothing(model, promote):
    first = model("aaaaaaaa-00000001", range(20))
    production = promote(first)
    shutil.rmtree(first)
    result = one(model("bbbbbbbb-00000001", range(20)), production, metric="accuracy", at_least="production")
    assert (result.outcome, result.passed) == ("undecided", False)
    assert "cannot be read" in result.remark


def test_a_verdict_is_read_back_as_it_was_written(model, promote):
    production = promote(model("aaaaaaaa-00000001", range(10)))
    folder = model("bbbbbbbb-00000001", range(20))
    gates = [GateRecipe(metric="accuracy", at_least="production"), GateRecipe(metric="per_class.x.f1", at_most=1)]
    verdict = judge(gates, folder, production)
    verdict.save(folder)
    assert Verdict.load(folder) == verdict
    assert not verdict.releasable
