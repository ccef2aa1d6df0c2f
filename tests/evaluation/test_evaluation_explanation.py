"""What a network looks at, against networks of which it is known by formula, and against counting by hand."""

import math

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from scipy.stats import spearmanr
from torch import nn
from torchvision import models

from tests.evaluation.looking import Pictured, Whole, one_layer
from totalml.errors import StoreError
from totalml.evaluation import Explanation, Interval
from totalml.evaluation.explanation import methods
from totalml.evaluation.explanation.chosen import MISTAKES, SHOWN, chosen
from totalml.evaluation.explanation.layer import map_layer
from totalml.evaluation.explanation.located import on_parts
from totalml.evaluation.explanation.randomised import DRAWS, randomised_similarity, rank_correlation
from totalml.evaluation.explanation.record import GRAD_CAM, Located, Measured, Pointing
from totalml.model import SmallCnn
from totalml.recipe import EvaluationRecipe

PARTS = {"head": 1, "body": 2, "glass": 4}


def drawn(count: int = 5, side: int = 8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)


def everything(whole: Whole, network: nn.Module | None = None) -> np.ndarray:
    rows = np.arange(len(whole.images))
    layer = map_layer(whole.network, whole.inputs(rows[:1]))
    return methods.grad_cam(whole, network or whole.network, layer, rows, rows % 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_grad_cam_of_one_layer_is_its_formula(channels):
    whole = Whole(one_layer(channels), drawn(channels=channels))
    convolution, linear = whole.network.image[0], whole.network.image[4]
    for row, found in enumerate(everything(whole)):
        weights = linear.weight.detach().numpy()
        weights = weights[row % 3] - weights.mean(axis=0)
        kernel, bias = (part.detach().numpy() for part in (convolution.weight, convolution.bias))
        for y in range(4):
            for x in range(4):
                patch = whole.images[row, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].transpose(2, 0, 1) / 255
                active = np.maximum((kernel * patch).sum(axis=(1, 2, 3)) + bias, 0)
                assert math.isclose(found[y, x], (weights * active).sum() / 16, abs_tol=1e-6)


def test_a_number_added_to_all_scores_changes_no_map():
    whole, other = Whole(one_layer(), drawn()), one_layer()
    with torch.no_grad():
        other.image[4].weight += torch.randn(1, 4)  # the same for every class
    np.testing.assert_allclose(everything(whole), everything(whole, other), atol=1e-6)


def test_integrated_gradients_add_up_to_what_the_score_gains():
    whole = Whole(one_layer(), drawn(side=16))
    scores = methods.scores_of(whole.network)
    images = torch.from_numpy(whole.images).permute(0, 3, 1, 2).float()
    beside, target = (torch.zeros(5, 0), torch.zeros(5, 0)), torch.tensor([0, 1, 2, 0, 1])
    found = methods.integrate(IntegratedGradients(scores), images, beside, target)
    with torch.no_grad():
        gain = (scores(images, *beside) - scores(methods.blurred(images), *beside))[range(5), target]
    torch.testing.assert_close(found.sum(dim=(1, 2, 3)).float(), gain, rtol=0.02, atol=1e-4)


def test_the_blur_keeps_a_flat_picture_and_the_mean_of_all():
    images = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    blur = methods.blurred(images)
    torch.testing.assert_close(blur.mean(dim=(2, 3)), images.mean(dim=(2, 3)), rtol=0, atol=1e-3)
    torch.testing.assert_close(methods.blurred(torch.full((1, 1, 24, 24), 7.0)), torch.full((1, 1, 24, 24), 7.0))
    assert blur.std() < 0.2 * images.std()


def test_smoothgrad_of_a_linear_network_is_the_square_of_its_weights_whatever_the_noise():
    linear = nn.Linear(3 * 64, 2)
    whole = Whole(Pictured(nn.Sequential(nn.Flatten(), linear)), drawn(count=2))
    found = methods.smoothgrad_squared(whole, np.arange(2), np.array([0, 1]), seed=3)
    weights = (linear.weight - linear.weight.mean(dim=0)).detach().numpy().reshape(2, 3, 8, 8) / 255
    np.testing.assert_allclose(found, (weights**2).sum(axis=1), rtol=1e-4)


def test_maps_are_the_same_again_and_in_any_batch(monkeypatch):
    whole = Whole(one_layer(), drawn())
    rows, classes = np.arange(5), np.zeros(5, np.int64)
    once, again = (methods.smoothgrad_squared(whole, rows, classes, seed=1) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    together = everything(whole)
    monkeypatch.setattr(methods, "BATCH", 2)
    np.testing.assert_allclose(everything(whole), together, atol=1e-7)


def torchvision(name: str) -> nn.Module:
    if name == "vit":
        return models.VisionTransformer(64, 16, num_layers=3, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=3)
    return models.get_model(name, weights=None, num_classes=3)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v3_small", "swin_t"])
def test_the_last_map_of_any_convolutional_network_is_found(name):
    whole = Whole(Pictured(torchvision(name)).eval(), drawn(count=3, side=64))
    maps = everything(whole)
    assert maps.shape == (3, 2, 2)
    assert np.isfinite(maps).all()
    assert np.abs(maps).max() > 0


def test_the_map_of_the_small_network_is_that_before_its_mean():
    image, _ = SmallCnn().build(3)
    layer = map_layer(Pictured(image).eval(), Whole(image, drawn(side=64)).inputs(np.arange(1)))
    assert layer.name == "image.3"
    assert layer.late[-1] == "image.3.refine.1"


@pytest.mark.parametrize("image", ["vit", "columns"])
def test_a_network_without_a_late_map_has_none(image):
    network = torchvision("vit") if image == "vit" else nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 3))
    whole = Whole(Pictured(network).eval(), drawn(count=1, side=64))
    assert map_layer(whole.network, whole.inputs(np.arange(1))) is None


def by_hand(map_: np.ndarray, mask: np.ndarray, bits: int) -> tuple[float, bool]:
    """Share of a map, pixel by pixel, and whether its strongest place lies there; each place covers 2 x 2 pixels."""
    side, grid = len(mask), len(map_)
    heat = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            # Bilinear between the middles of places, the outermost going on to the edge.
            v, u = (min(max((at + 0.5) * grid / side - 0.5, 0), grid - 1) for at in (y, x))
            top, left = int(v), int(u)
            down, right = min(top + 1, grid - 1), min(left + 1, grid - 1)
            upper = map_[top, left] * (1 - u + left) + map_[top, right] * (u - left)
            lower = map_[down, left] * (1 - u + left) + map_[down, right] * (u - left)
            heat[y, x] = upper * (1 - v + top) + lower * (v - top)
    on = mask & bits > 0
    row, column = np.unravel_index(map_.argmax(), map_.shape)
    return heat[on].sum() / heat.sum(), bool(on[2 * row + 1, 2 * column + 1])


def test_shares_and_pointing_are_what_counting_pixel_by_pixel_finds():
    chance = np.random.default_rng(1)
    maps = chance.normal(0.2, 1, (30, 5, 5)).astype(np.float32)
    masks = chance.integers(0, 8, (30, 10, 10)).astype(np.uint8)
    found = on_parts(maps, masks, PARTS, ["head", "body"])
    for k in range(30):
        positive = np.maximum(maps[k], 0)
        shares = [by_hand(positive, masks[k], bits)[0] for bits in PARTS.values()]
        subject, hit = by_hand(positive, masks[k], 3)
        np.testing.assert_allclose(found.share[k], [*shares, 1 - by_hand(positive, masks[k], 7)[0], subject], atol=1e-5)
        assert found.hit[k] == hit
    np.testing.assert_allclose(found.area[:, 2], (masks & 4 > 0).mean(axis=(1, 2)), atol=1e-6)


def test_attribution_strewn_evenly_comes_to_the_random_control():
    masks = np.random.default_rng(2).integers(0, 8, (20, 16, 16)).astype(np.uint8)
    found = on_parts(np.ones((20, 4, 4), np.float32), masks, PARTS, ["glass"])
    np.testing.assert_allclose(found.share, found.area, atol=1e-5)


def test_a_look_at_the_middle_comes_to_the_centre_control():
    masks = np.zeros((1, 64, 64), np.uint8)
    masks[:, 24:40, 24:40] = 4
    found = on_parts(np.ones((1, 4, 4), np.float32), masks, PARTS, ["glass"])
    inside = math.erf(8 / (64 * 0.2) / math.sqrt(2)) / math.erf(32 / (64 * 0.2) / math.sqrt(2))
    assert math.isclose(found.centre[0, 2], inside**2, rel_tol=0.01)
    assert found.centre_hit[0]


def similarity_of(network: nn.Module) -> np.ndarray:
    whole = Whole(network, drawn(count=30, side=64))
    rows = np.arange(30)
    layer = map_layer(network, whole.inputs(rows[:1]))
    before = [parameter.clone() for parameter in network.parameters()]
    similar = randomised_similarity(whole, layer, rows, rows % 3, everything(whole), seed=0)
    assert all(torch.equal(one, two) for one, two in zip(before, network.parameters(), strict=True))
    return similar


def test_maps_that_come_from_the_weights_change_with_them():
    torch.manual_seed(0)
    image, width = SmallCnn().build(3)
    similar = similarity_of(Pictured(nn.Sequential(image, nn.Linear(width, 3))).eval())
    assert similar.shape == (DRAWS,)
    assert similar.mean() < 0.5


def test_a_map_that_is_the_same_whatever_was_learnt_is_found_out_though_its_sign_changes():
    similar = similarity_of(one_layer(width=1))  # one channel: a head can only turn it over
    np.testing.assert_allclose(similar, 1)


def test_ranks_share_ties_as_spearman_does():
    chance = np.random.default_rng(3)
    first, second = chance.integers(0, 4, (2, 6, 3, 3)).astype(np.float32)
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(rank_correlation(first, second), expected)


def test_the_pictures_shown_are_right_ones_of_every_class_and_the_surest_mistakes():
    chance = np.random.default_rng(4)
    labels = np.sort(chance.integers(0, 3, 200))
    predicted = np.where(chance.random(200) < 0.2, (labels + 1) % 3, labels)
    confidence = chance.random(200)
    places = chosen(labels, predicted, confidence)
    assert len(places) == SHOWN == len(set(places.tolist()))
    wrong = places[labels[places] != predicted[places]]
    assert sorted(wrong) == sorted(
        np.flatnonzero(labels != predicted)[np.argsort(-confidence[labels != predicted])[:MISTAKES]]
    )
    counts = np.bincount(labels[places[:-MISTAKES]])
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("right", [0, 3, 5])
def test_fewer_pictures_or_nothing_right_are_shown_as_they_are(right):
    labels = np.zeros(5, np.int64)
    places = chosen(labels, np.where(np.arange(5) < right, 0, 1), np.full(5, 0.5))
    assert sorted(places) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("explanation", "message"),
    [
        ({"parts": {"glass": 4}, "subject": ["glas"]}, "did you mean 'glass'"),
        ({"subject": ["glass"]}, "there are: none"),
        ({"parts": {"outside": 4}}, "has a meaning of its own"),
        ({"parts": {"glass": 256}}, "less than or equal to 255"),
        ({"parts": {"a.b": 1}}, "String should match pattern"),
    ],
)
def test_parts_that_make_no_sense_are_refused(explanation, message):
    with pytest.raises(ValueError, match=message):
        EvaluationRecipe(explanation=explanation)


def an_explanation() -> Explanation:
    share = Interval(0.6, 0.5, 0.7)
    located = (Located("glass", share, 0.2, 0.4, share, share), Located("subject", share, 0.2, 0.4, share, share))
    measured = Measured(GRAD_CAM, 30, located, Pointing(share, 0.2, 0.9, share))
    other = Measured("integrated_gradients", 30, located[:1], None)
    maps = {GRAD_CAM: np.arange(32, dtype=np.uint8).reshape(2, 4, 4)}
    return Explanation("image.3", 30, ("glass",), (measured, other), share, 0.95, ("a note",), (1, 0), maps)


def test_an_explanation_comes_back_from_its_files_whole(tmp_path):
    made = an_explanation()
    made.save(tmp_path)
    loaded = Explanation.load(tmp_path)
    assert loaded == made
    np.testing.assert_array_equal(loaded.maps[GRAD_CAM], made.maps[GRAD_CAM])
    assert sorted(loaded.figures()) == [
        "explanation.integrated_gradients.share.glass",
        "explanation.pointing",
        "explanation.pointing_over_centre",
        "explanation.randomised_similarity",
        "explanation.share.glass",
        "explanation.share.subject",
    ]


@pytest.mark.parametrize("name", ["explanation.json", "explanation.safetensors"])
@pytest.mark.parametrize("content", [None, b"[", b"{}", b"\x00" * 40])
def test_a_damaged_explanation_is_told(tmp_path, name, content):
    an_explanation().save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read"):
        Explanation.load(tmp_path)
