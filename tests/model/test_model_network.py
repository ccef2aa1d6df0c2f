import numpy as np
import pytest
import torch

from tests.in_memory import feature_set
from totalml.errors import ModelError
from totalml.model import Mlp, SmallCnn, TorchvisionBackbone, build_network
from totalml.model.preprocess import ImageScaler, TableEncoder
from totalml.recipe import ModelRecipe
from totalml.task import Classification

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (30, 16, 16, 3), np.uint8)
NUMERIC = RNG.normal(5, 3, (30, 2)).astype(np.float32)
CATEGORICAL = RNG.integers(0, 4, (30, 1))


def test_pictures_are_scaled_by_mean_and_deviation_of_the_training_rows():
    rows = np.arange(0, 30, 2)
    network = build_network(ModelRecipe(image=SmallCnn()), Classification(), feature_set(PIXELS), rows)
    values = PIXELS[rows].astype(np.float64).reshape(-1, 3)
    expected = (PIXELS - values.mean(axis=0)) / values.std(axis=0)
    scaled = network.scaler(torch.from_numpy(PIXELS)).numpy().transpose(0, 2, 3, 1)
    assert np.allclose(scaled, expected, atol=1e-5)


def test_float_pictures_are_scaled_like_bytes():
    scaler = ImageScaler(3)
    scaler.fit(feature_set(PIXELS).images, np.arange(30))
    planes = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    assert torch.equal(scaler(planes.float()), scaler(torch.from_numpy(PIXELS)))


def test_scaled_pictures_keep_the_memory_order_that_convolutions_like():
    assert ImageScaler(3)(torch.from_numpy(PIXELS)).is_contiguous(memory_format=torch.channels_last)


def test_a_uniform_picture_is_scaled_to_zero_and_not_to_infinity():
    scaler = ImageScaler(3)
    grey = np.full((4, 8, 8, 3), 77, np.uint8)
    scaler.fit(feature_set(grey).images, np.arange(4))
    assert (scaler(torch.from_numpy(grey)) == 0).all()


def test_numeric_columns_are_standardised_and_missing_is_said_beside():
    numeric = np.array([[1.0, 7.0], [3.0, 7.0], [np.nan, 7.0]], np.float32)
    encoder = TableEncoder(2, ())
    encoder.fit(numeric)
    encoded = encoder(torch.from_numpy(numeric), torch.zeros(3, 0, dtype=torch.int64))
    # Mean 2 and deviation 1 of the known values; the constant column tells nothing.
    assert encoded.tolist() == [[-1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]


def test_a_column_without_any_value_stays_finite():
    numeric = np.full((3, 1), np.nan, np.float32)
    encoder = TableEncoder(1, ())
    encoder.fit(numeric)
    assert encoder(torch.from_numpy(numeric), torch.zeros(3, 0, dtype=torch.int64)).tolist() == [[0, 1]] * 3


def test_categorical_columns_are_one_hot_with_a_place_for_missing():
    encoder = TableEncoder(0, (("a", "b"), ("x",)))
    encoded = encoder(torch.zeros(2, 0), torch.tensor([[0, 1], [2, 0]]))
    assert encoder.columns == 5
    assert encoded.tolist() == [[1, 0, 0, 0, 1], [0, 0, 1, 1, 0]]


@pytest.mark.parametrize(("image", "table"), [(SmallCnn(), None), (None, Mlp()), (SmallCnn(depth=1), Mlp(widths=(5,)))])
def test_a_network_scores_every_class_from_either_or_both(image, table):
    features = feature_set(PIXELS, NUMERIC, CATEGORICAL, (("a", "b", "c"),), classes=("x", "y", "z"))
    network = build_network(ModelRecipe(image=image, table=table), Classification(), features, np.arange(30))
    inputs = {
        "image": torch.from_numpy(PIXELS),
        "numeric": torch.from_numpy(NUMERIC),
        "categorical": torch.from_numpy(CATEGORICAL),
    }
    assert network(inputs).shape == (30, 3)


def test_the_small_network_has_the_weights_its_docstring_says():
    network = build_network(ModelRecipe(image=SmallCnn()), Classification(), feature_set(PIXELS), np.arange(30))
    assert round(network.count_weights(), -3) == 292_000
    assert "292,000" in SmallCnn.__doc__


@pytest.mark.parametrize("size", [8, 65, 128])
def test_the_small_network_takes_pictures_of_any_size(size):
    module, width = SmallCnn(width=4, depth=2).build(3)
    assert module(torch.zeros(2, 3, size, size)).shape == (2, width)


def test_a_backbone_that_cannot_take_the_size_is_an_error_before_training():
    with pytest.raises(ModelError, match=r"pictures of 16 px.*features\.image\.size"):
        build_network(
            ModelRecipe(image=TorchvisionBackbone(name="alexnet")), Classification(), feature_set(PIXELS), np.arange(30)
        )
