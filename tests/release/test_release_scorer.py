"""Samples of a snapshot are scored in parts, however many there are."""

from dataclasses import replace

import numpy as np

from tests.release.exported import COUNT, features_of
from tests.serving.serving import SIZE, release
from totalml.features.given import HeldPictures
from totalml.release.scorer import CHUNK, Scorer
from totalml.store import Store


class Noting(HeldPictures):
    def __init__(self, pixels):
        super().__init__(pixels)
        self.asked = []

    def gather(self, rows):
        self.asked.append(len(rows))
        return super().gather(rows)


def test_no_more_pictures_are_held_at_once_than_a_part_has(tmp_path):
    features, scorer = features_of(SIZE, answers=("dark", "light")), Scorer.load(release(Store(tmp_path)))
    rows = np.arange(COUNT)
    pixels = features.images.gather(rows)
    noting = replace(features, images=Noting(pixels))
    scored = scorer.score_rows(noting, rows)
    assert noting.images.asked == [CHUNK, COUNT - CHUNK]
    light = pixels.reshape(COUNT, -1).mean(axis=1) / 255
    np.testing.assert_allclose(scored.answers["p:light"].to_numpy(), light, atol=1e-5)
    assert scored.embeddings.shape == (COUNT, 1)
    assert scorer.score_rows(noting, rows[:0]).answers.num_rows == 0
