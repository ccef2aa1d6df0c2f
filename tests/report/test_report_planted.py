"""Faults planted in a whole run are named in its report; an even, well-calibrated model raises none over ten seeds."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from recipes.guinness.knobs import Knobs
from recipes.guinness.metadata import metadata
from recipes.guinness.pint import GLASSES, draw_pints
from recipes.guinness.rating import is_good, labels
from recipes.guinness.source import PintSource
from totalml import lifecycle
from totalml.compose import compose_recipe
from totalml.evaluation import SampleContext
from totalml.report.page import render
from totalml.runner import run

REPOSITORY = Path(__file__).parents[2]
EVALUATION = yaml.safe_load((REPOSITORY / "recipes" / "guinness.yaml").read_text())["evaluation"]
FAILING = "41-60"
PLAIN = [f"evaluation.{part}=null" for part in ("explanation", "robustness", "out_of_distribution")]  # for speed
# What a reader would look for, as a pattern, by the fault that it names.
WORDS = {
    "a slice that fails": "Clearly less often right for ",
    "a slice on the first line": "; less often for ",
    "a slice in its table": r"(light|age group \S+|glass \w+) is worse",
    "groups treated unlike": "Does not treat all alike",
    "a model that is too sure": "It is too sure of itself",
    "a model that is off": "beyond the 5 points that the recipe tolerates",
    "a duplicate across splits": "near duplicates across splits",
    "swapped labels": "contradict those of samples that look alike",
    "blurred photos": " are blurred",
}


def text_of(page: str) -> str:
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    text = re.sub(r"\s+([.,;:])", r"\1", " ".join(unescape(text).split()))
    return text.replace("not clearly beyond the 5 points", "within the 5 points")


def named(page: str) -> set[str]:
    text = text_of(page)
    return {fault for fault, words in WORDS.items() if re.search(words, text)}


class SwappedForAnAgeGroup(PintSource):
    """One age group calls good what is bad, so a model that learns from all fails for it."""

    def samples(self):
        from dataclasses import replace

        for pint in super().samples():
            swapped = {"good": "bad", "bad": "good"}[pint.label]
            yield replace(pint, label=swapped) if pint.metadata["age_group"] == FAILING else pint


def recipe_of(folder, *overrides):
    where = [f"runtime.store={folder}/store", f"runtime.runs={folder}/runs", "runtime.progress=none"]
    return compose_recipe(REPOSITORY, ["+recipe=guinness_smoke", *where, *overrides])


def page_of(folder, source, *overrides):
    halved = ["data.split.train=0.45", "data.split.validation=0.15", "data.split.test=0.4"]
    recipe = recipe_of(folder, "data.source.count=400", "training.epochs=4", *halved, *PLAIN, *overrides)
    data = recipe.data.model_copy(update={"source": source(**dict(recipe.data.source))})
    return (run(recipe.model_copy(update={"data": data})) / "report.html").read_text()


@pytest.mark.slow
def test_a_slice_that_fails_is_named_in_the_report_of_a_whole_run(tmp_path):
    page = page_of(tmp_path, SwappedForAnAgeGroup, "data.source.count=600", "training.epochs=8")
    text = text_of(page)
    summary = text.partition("Most wrong")[2].partition("Right for")[2][:2000]
    assert f"less often for age group {FAILING} (" in summary
    assert f"Clearly less often right for age group {FAILING}" in summary
    assert f"age group {FAILING} is worse" in text
    assert {"a slice that fails", "a slice on the first line", "a slice in its table"} <= named(page)


@pytest.mark.slow
def test_a_miscalibrated_model_is_named_in_the_report_of_a_whole_run(tmp_path, monkeypatch):
    predict = lifecycle.predict

    def sure_of_everything(*given):
        return np.where(predict(*given) > 0.5, 0.999, 0.001).astype(np.float32)

    monkeypatch.setattr(lifecycle, "predict", sure_of_everything)
    page = page_of(tmp_path, PintSource)
    assert {"a model that is too sure", "a model that is off"} <= named(page)
    assert "It is too sure of itself: 99.9 % sure on average" in text_of(page).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "Divided by " in text_of(page)


def population(seed, error=lambda table: 0.02, sure=0.95):
    """For `content_of`: a model that knows the rule, errs in 2 of 100, and is as sure as it is right."""

    def beside(labels_, probabilities):
        samples = len(labels_)
        pints, chance = draw_pints(seed, 0, samples, Knobs()), np.random.default_rng(seed)
        columns = {name: values for name, values in metadata(pints).items() if values.dtype.kind in "Uf"}
        table = pa.table({**columns, "glass": np.asarray(GLASSES)[pints.glass]})
        good = np.where(is_good(pints) ^ (chance.random(samples) < error(table)), sure, 1 - sure)
        labels_[:], probabilities[:] = labels(pints), np.stack([1 - good, good], 1)
        fitted = labels_.copy(), probabilities.copy()
        stands = SampleContext(table, np.arange(samples), chance.random(samples))
        return {key: value for key, value in EVALUATION.items() if key != "gold_column"}, stands, fitted

    return beside


@pytest.mark.parametrize("seed", range(10))
def test_an_even_well_calibrated_model_raises_none(content_of, seed):
    content = content_of(samples=300, bootstrap=0, image_px=None, beside=population(seed))
    assert named(render(content).decode()) == set()


def test_the_same_population_with_a_fault_raises_it(content_of):
    """So that the silence above means something."""

    def misled(table):
        return np.where(np.array(table["glass"].to_pylist()) == "new", 0.35, 0.02)

    given = {"samples": 300, "bootstrap": 0, "image_px": None}
    worse = render(content_of(beside=population(0, misled), **given)).decode()
    assert "Clearly less often right for glass new" in text_of(worse)
    sure = render(content_of(beside=population(0, lambda table: 0.15, sure=0.999), **given)).decode()
    assert "a model that is too sure" in named(sure)
