"""Behind a frozen backbone too, pictures can be made worse, and strange ones are noticed."""

import numpy as np
import pytest

from tests.embedding.frozen_recipe import frozen
from totalml.evaluation import measure_out_of_distribution, measure_robustness
from totalml.evaluation.out_of_distribution.embed import embedded as heard
from totalml.evaluation.out_of_distribution.embed import embedded_changed
from totalml.training import predict, train_model
from totalml.training.end_to_end import end_to_end_network


@pytest.fixture
def trained(embedded, splits, tmp_path):
    return train_model(frozen(), embedded, splits, tmp_path)


def test_unchanged_pictures_give_the_accuracy_of_the_kept_embeddings(embedded, splits, trained):
    robustness = measure_robustness(frozen(), trained, embedded, splits.test)
    said = predict(frozen(), trained, embedded, splits.test).argmax(axis=1)
    assert robustness.unchanged.value == np.mean(said == embedded.targets.values[splits.test])
    assert set(robustness.curves) == {"blur", "noise", "dark", "jpeg", "rotation"}


def test_what_enters_the_head_is_what_was_kept(embedded, splits, trained):
    with end_to_end_network(frozen(), trained, embedded) as whole:
        kept, _ = heard(whole, splits.test)
        made = embedded_changed(whole, splits.test, lambda images, keys: images)
    assert np.array_equal(kept, embedded.embeddings.gather(splits.test))
    assert made == pytest.approx(kept, abs=1e-5)
    found = measure_out_of_distribution(frozen(), trained, embedded, splits)
    assert found.detector.whitening.shape == (embedded.embedding_width,) * 2
