import re
from dataclasses import replace

import pyarrow as pa
import pytest

from totalml.report.classification.gallery import gallery
from totalml.report.markup import joined
from totalml.report.summary import summary


def told(content):
    text = re.sub("<[^>]*>", " ", summary(content, joined(), joined())).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return re.sub(r"\s+([.,”])", r"\1", " ".join(text.split())).replace("“ ", "“")


def test_the_verdict_counts_right_answers(content_of):
    content = content_of(samples=200, right=0.8)
    table = content.evaluation.predictions.to_pylist()
    right = sum(row["label"] == row["predicted"] for row in table)
    assert f"Right for {round(right / 2)} of 100 test pictures." in told(content)
    assert "Measured on 200 pictures that the model never saw" in told(content)
    assert f"{200 - right} mistakes" in told(content)


def test_groups_of_test_samples_are_counted_where_intervals_rest_on_them(content_of):
    content = content_of(samples=200, right=0.8)
    groups = pa.array([f"pub {row % 7}" for row in range(200)])
    evaluation = content.evaluation
    known = replace(evaluation, predictions=evaluation.predictions.append_column("group", groups))
    assert "Measured on 200 pictures of 7 groups that the model never saw" in told(replace(content, evaluation=known))


def test_the_mistakes_are_counted_by_kind(content_of):
    content = content_of(samples=100, right=0.7)
    pairs = [(row["label"], row["predicted"]) for row in content.evaluation.predictions.to_pylist()]
    text = told(content)
    assert f"{pairs.count(('bad', 'good'))} times “good” where the label says “bad”" in text
    assert f"{pairs.count(('good', 'bad'))} times “bad” where the label says “good”" in text


def test_a_model_that_guesses_is_called_so(content_of):
    assert "Not clearly better than always answering" in told(content_of(right=0.5))
    assert "Better than always answering" in told(content_of(right=0.95))


def test_noisy_labels_set_the_limit(content_of):
    content = content_of(samples=400, right=0.6, gold_noise=0.1)
    best = content.evaluation.metrics["best_possible_accuracy"].value
    assert f"where at most {round(100 * best)} are possible" in told(content)
    assert "points below" in told(content)
    table = content.evaluation.predictions.to_pylist()
    wrong_labels = sum(row["label"] != row["gold"] == row["predicted"] for row in table)
    assert f"In {wrong_labels} of them the model is right and the label wrong" in told(content)


def test_without_gold_labels_no_limit_is_claimed(content_of):
    assert "possible" not in told(content_of())


@pytest.mark.parametrize(("right", "phrase"), [(1.0, "right more often than it is sure"), (0.4, "too sure of itself")])
def test_confidence_is_compared_with_being_right(content_of, right, phrase):
    assert phrase in told(content_of(right=right))


def test_no_mistake_is_said_plainly(content_of):
    assert "It made no mistake." in told(content_of(right=1.0))


def test_the_weakest_of_many_classes_is_named(content_of):
    content = content_of(classes=("a", "b", "c"), samples=300, right=0.7)
    recalls = {label: content.evaluation.per_class[label]["recall"].value for label in "abc"}
    assert f"Weakest on “{min(recalls, key=recalls.get)}”" in told(content)


def test_the_most_wrong_are_the_surest_mistakes(content_of):
    content = content_of(samples=100, right=0.6)
    table = content.evaluation.predictions.to_pylist()
    wrong = [row for row in table if row["label"] != row["predicted"]]
    surest = sorted(wrong, key=lambda row: row["confidence"], reverse=True)[:10]
    shown = re.findall(r'alt="Sample (s\d+)', gallery(content, 10**6).wrong)
    assert shown == [row["id"] for row in surest]
