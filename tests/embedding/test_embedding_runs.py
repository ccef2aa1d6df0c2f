"""Two jobs of a sweep, from the recipe to the report, in one process."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from totalml.compose import compose_recipe
from totalml.features import FeatureSet
from totalml.model import load_network
from totalml.model.frozen import FrozenBackbone
from totalml.runner import run
from totalml.task import Classification
from totalml.training import frozen

REPOSITORY = Path(__file__).parents[2]


def test_the_second_job_embeds_nothing_and_its_model_says_what_its_predictions_say(tmp_path, monkeypatch, capsys):
    passes, seen = [], []
    forward, embed = FrozenBackbone.forward, frozen.embed
    monkeypatch.setattr(FrozenBackbone, "forward", lambda self, x: passes.append(1) or forward(self, x))
    monkeypatch.setattr(frozen, "embed", lambda *args: seen.append(embed(*args)) or seen[-1])
    where = [f"runtime.store={tmp_path / 'store'}", f"runtime.runs={tmp_path / 'runs'}", "runtime.progress=none"]
    small = [
        "data.source.count=70",
        "data.split.salt=small",
        "model.freeze=true",
        "training=head",
        "training.batch_size=16",
    ]
    recipes = [
        compose_recipe(
            REPOSITORY, ["+recipe=guinness_smoke", "evaluation=quick", *where, *small, f"training.optimizer.lr={rate}"]
        )
        for rate in (0.01, 0.1)
    ]
    folders = [run(recipe) for recipe in recipes]
    assert len(passes) == 3  # of 32 pictures
    outputs = [json.loads((folder / "run.json").read_text())["outputs"] for folder in folders]
    assert outputs[0] != outputs[1]
    assert_predictions_are_of_pictures(recipes[1].model, folders[1], seen[1])


def assert_predictions_are_of_pictures(model, folder: Path, features: FeatureSet) -> None:
    said = pq.read_table(folder / "predictions.parquet").to_pydict()
    rows = np.array([features.ids.index(name) for name in said["id"]])
    with torch.inference_mode():
        network = load_network(model, Classification(), folder / "model.safetensors")
        scores = network({"image": torch.from_numpy(features.images.gather(rows))})
    direct = scores.softmax(dim=1).numpy()
    for place, name in enumerate(features.targets.names):
        assert np.allclose(direct[:, place], said[f"p:{name}"], atol=1e-5)
