"""Labels that are likely to be wrong are named, with what their samples look like; without any, nobody is."""

import numpy as np
import pyarrow as pa
import pytest

from tests.quality import drawn
from totalml.quality import DoubtfulLabels, check_quality, doubtful_labels
from totalml.recipe import QualityRecipe

COUNT = 400
WRONG = np.arange(0, COUNT, 20)
NONE = WRONG[:0]


@pytest.fixture
def labelled(snapshot_of, splits_of, pictures_of):
    """Photos that are brighter at the top where they are `good`; some carry the other label."""

    def make(wrong):
        images, good = drawn.photos(COUNT) // 3, np.arange(COUNT) % 2 == 0
        images[good, : drawn.SIDE // 2] += 150
        labels = np.where(np.isin(np.arange(COUNT), wrong), ~good, good)
        return snapshot_of(np.where(labels, "good", "bad").tolist()), splits_of("t" * COUNT), pictures_of(images)

    return make


def test_wrong_labels_are_named_with_what_their_pictures_look_like(labelled):
    [finding] = DoubtfulLabels().findings(*labelled(WRONG))
    assert finding.message.startswith(f"{len(WRONG)} of {COUNT} labels are doubtful")
    assert f"The worst: {finding.samples[0]!r} is 'bad' and looks 'good'" in finding.message
    assert set(finding.samples) < {f"s{row:04d}" for row in WRONG}
    assert len(finding.samples) == 10


def test_right_labels_name_nobody(labelled):
    assert list(DoubtfulLabels().findings(*labelled(NONE))) == []


def test_a_few_are_borne_as_far_as_the_recipe_says(labelled):
    assert list(DoubtfulLabels(max_share=0.05).findings(*labelled(WRONG))) == []


def test_a_table_without_pictures_is_judged_by_its_numbers(snapshot_of, splits_of):
    random = np.random.default_rng(0)
    tall = random.random(COUNT) < 0.5
    said = np.where(np.isin(np.arange(COUNT), WRONG), ~tall, tall)
    snapshot = snapshot_of(said.astype(str).tolist(), height_mm=(150 + 40 * tall + random.normal(0, 2, COUNT)).tolist())
    report = check_quality(QualityRecipe(checks=(DoubtfulLabels(),)), snapshot, splits_of("t" * COUNT))
    assert report.checks == ("DoubtfulLabels",)
    assert report.not_asked == ()
    assert set(report.findings[0].samples) < {f"s{row:04d}" for row in WRONG}


def test_what_has_no_classes_or_no_numbers_is_not_judged(snapshot_of, splits_of):
    splits = splits_of("t" * COUNT)
    numbers = {"height_mm": np.arange(COUNT).tolist()}
    assert list(DoubtfulLabels().findings(snapshot_of([None] * COUNT, **numbers), splits, None)) == []
    assert list(DoubtfulLabels().findings(snapshot_of(["a", "b"] * (COUNT // 2)), splits, None)) == []


def test_the_table_lists_the_most_doubtful_first_and_leaves_out_what_it_cannot_judge(snapshot_of):
    random, good = np.random.default_rng(0), np.arange(COUNT) % 2 == 0
    embeddings = random.normal(size=(COUNT, 4)) + 6 * good[:, None]
    labels = np.where(np.isin(np.arange(COUNT), WRONG), ~good, good)
    labels = [None if row == 1 else "good" if label else "bad" for row, label in enumerate(labels)]
    embeddings[3] = np.nan
    table = doubtful_labels(snapshot_of(labels).samples, embeddings)
    assert table.column_names == ["id", "label", "suggested", "doubt"]
    assert len(table) == COUNT - 2
    assert not {"s0001", "s0003"} & set(table["id"].to_pylist())
    assert set(table["id"].to_pylist()[: len(WRONG)]) == {f"s{row:04d}" for row in WRONG}
    assert set(table["suggested"].to_pylist()[: len(WRONG)]) == {"good"}
    doubt = table["doubt"].to_numpy()
    assert (np.diff(doubt) <= 0).all()
    assert doubt.min() >= 0
    assert doubt.max() <= 1


def test_the_order_of_the_rows_does_not_matter(snapshot_of):
    random = np.random.default_rng(0)
    label = random.choice(["a", "b", "c"], COUNT)
    embeddings = random.normal(size=(COUNT, 4)) + (label == "a")[:, None]
    samples = snapshot_of(label.tolist(), groups=[f"g{row % 50}" for row in range(COUNT)]).samples
    order = random.permutation(COUNT)
    first, again = (
        doubtful_labels(rows, known).sort_by("id")
        for rows, known in ((samples, embeddings), (samples.take(pa.array(order)), embeddings[order]))
    )
    np.testing.assert_allclose(first["doubt"].to_numpy(), again["doubt"].to_numpy(), atol=1e-3)


@pytest.mark.parametrize("embeddings", [np.zeros((COUNT, 0)), np.full((COUNT, 4), np.nan), np.zeros((COUNT, 4))])
def test_embeddings_that_say_nothing_are_borne(snapshot_of, embeddings):
    table = doubtful_labels(snapshot_of(["a", "b"] * (COUNT // 2)).samples, embeddings)
    assert all(doubt == pytest.approx(0.5) for doubt in table["doubt"].to_pylist())
