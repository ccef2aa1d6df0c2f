"""Faults as columns: those of the rule, on the same pints; and a whole run that finds them."""

import json

import numpy as np
import pyarrow.parquet as pq

from recipes.guinness.faulty import FaultyPintSource
from recipes.guinness.knobs import Knobs
from recipes.guinness.pint import draw_pints
from recipes.guinness.rating import faults
from recipes.guinness.source import PintSource
from totalml.evaluation.record import Evaluation


def test_the_pints_are_the_same_and_their_columns_are_the_faults_of_the_rule():
    plain = list(PintSource(count=70, size_px=32).samples())
    faulty = list(FaultyPintSource(count=70, size_px=32).samples())
    expected = faults(draw_pints(0, 0, 70, Knobs()))
    assert [(one.id, one.image, one.mask) for one in faulty] == [(one.id, one.image, one.mask) for one in plain]
    for name, flags in expected.items():
        assert [one.metadata[name] for one in faulty] == flags.tolist()
    assert {one.label for one in faulty} == {None}
    assert set(faulty[0].metadata) == set(plain[0].metadata) - {"rule"} | set(expected)


def test_a_whole_run_says_of_each_pint_which_faults_it_has(smoke_run):
    folder = smoke_run("guinness_faults")
    table = pq.read_table(folder / "predictions.parquet")
    index = [int(id_.removeprefix("pint-")) for id_ in table["id"].to_pylist()]
    drawn = faults(draw_pints(0, 0, 600, Knobs()))
    del drawn["plastic cup"]
    assert table["labels"].to_pylist() == [[name for name, flags in drawn.items() if flags[row]] for row in index]
    right = [
        true == said for true, said in zip(table["labels"].to_pylist(), table["predicted"].to_pylist(), strict=True)
    ]
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    assert metrics["exact_match"]["value"] == np.mean(right)
    assert np.mean(right) > np.mean([not labels for labels in table["labels"].to_pylist()])
    assert metrics["auroc_macro"]["low"] > 0.8
    assert Evaluation.load(folder).per_label["not settled"].figures["recall"].value > 0.5
    assert "Every label right for" in (folder / "report.html").read_text()
    assert "Every label right for" in (folder / "MODEL_CARD.md").read_text()
