"""What people agree on becomes a label of the request, once; what somebody said later stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from shutil import rmtree

import pytest

from tests.review.learnt.lessons import asked_of, released, reviews_of, snapshot_of
from tests.review.queues.traffic import MODEL
from tests.serving.serving import PICTURE
from totalml.alerts.alerts import Alerts
from totalml.alerts.finding import Finding, Sample
from totalml.alerts.review import judged_of, queue_labels
from totalml.labels import Label, Labels, truth_of
from totalml.labels.columns import table_of
from totalml.labels.labels import Segments
from totalml.monitoring.monitor_report import gathered
from totalml.monitoring.page.page import render
from totalml.prediction_log.deletion import Deleted, Sought, delete
from totalml.recipe.review import ReviewRecipe
from totalml.review.learnt.request_labels import keep_labels
from totalml.review.reviews import Reviews
from totalml.store import Store

TRUTH = truth_of(PICTURE)
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def bundle(tmp_path, store):
    return released(store, snapshot_of(tmp_path / "photos", store))


def labels_of(store) -> dict[str, tuple[str, str]]:
    rows = Labels(store, MODEL, TRUTH).read().to_pylist()
    return {row["request_id"]: (row["label:label"], row["who"]) for row in rows}


def test_each_request_that_people_agree_on_has_a_label_once(store, bundle):
    items = asked_of(store, bundle)
    said = [(items[0], "dark", "ann"), (items[0], "dark", "bob"), (items[1], "light", "ann")]
    said += [(items[2], "dark", "ann"), (items[2], "light", "bob"), (items[3], None, "ann")]
    reviews = reviews_of(store, *said)
    assert keep_labels(reviews, bundle, ReviewRecipe(), store) == 2
    assert labels_of(store) == {"order-0": ("dark", "review, 2 people"), "order-1": ("light", "review, 1 person")}
    assert keep_labels(reviews, bundle, ReviewRecipe(), store) == 0
    assert len(store.files("labels", MODEL)) == 2


def test_a_label_that_somebody_gave_later_stands(store, bundle):
    items = asked_of(store, bundle)
    reviews = reviews_of(store, (items[0], "dark", "ann"))
    Segments(store, MODEL).save(table_of([Label("order-0", "a", {"label": "light"})], TRUTH, "the kitchen"))
    assert keep_labels(reviews, bundle, ReviewRecipe(), store) == 0
    assert labels_of(store) == {"order-0": ("light", "the kitchen")}


def test_a_deletion_reaches_labels_of_requests_that_the_log_holds_no_longer_and_none_come_back(store, bundle):
    items = asked_of(store, bundle)
    reviews = reviews_of(store, (items[0], "dark", "ann"), (items[1], "dark", "ann"))
    keep_labels(reviews, bundle, ReviewRecipe(), store)
    rmtree(store.folder("predictions"))
    assert delete(store, MODEL, Sought(items[0].input)) == Deleted(rows=0, pictures=1, labels=1, items=1)
    keep_labels(Reviews(store, MODEL), bundle, ReviewRecipe(), store)
    assert [*labels_of(store)] == ["order-1"]


def test_an_alert_says_what_is_judged_of_what_it_asked_for(store, bundle):
    items = asked_of(store, bundle)
    samples = tuple(Sample(f"order-{n}", "a") for n in range(5))
    finding = Finding("concept", "page", "it errs", release=bundle.hash, samples=samples)
    alert = Alerts(store, MODEL).raise_alert(finding)
    assert judged_of(store, MODEL, alert.id) == "-"
    queue_labels(alert, store, NOW)
    assert judged_of(store, MODEL, alert.id) == "0 of 5"
    said = [(items[0], "dark", "ann"), (items[1], "light", "ann"), (items[2], "dark", "bob")]
    keep_labels(reviews_of(store, *said), bundle, ReviewRecipe(), store)
    assert judged_of(store, MODEL, alert.id) == "3 of 5: 2 dark, 1 light"
    assert b"<td>3 of 5: 2 dark, 1 light</td>" in render(gathered(store, MODEL, timedelta(days=1), NOW))
    rmtree(bundle.folder)
    assert b"<td>?</td>" in render(gathered(store, MODEL, timedelta(days=1), NOW))
