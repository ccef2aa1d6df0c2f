"""What the ONNX file of a run computes, as one torch module: from what features give to the task's answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from totalml.kinds import Task
from totalml.model import Network, load_network
from totalml.model.inputs import Inputs
from totalml.model.saved import load_state
from totalml.release.map_head import heard_in, map_head
from totalml.release.onnx_model import CATEGORICAL, EMBEDDING, IMAGE, INPUTS, MAPS, NUMERIC, SCORES
from totalml.training.execution import quiet_lightning
from totalml.training.own_batches import planes

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule

    from totalml.recipe import Recipe

TRACED = 2  # samples: torch.export takes a batch of one for a constant


class Served(nn.Module):
    """What the file computes.

    Args:
        inputs: what the model takes.
        used: names of those that it looks at.
    """

    outputs: tuple[str, ...] = (SCORES,)

    def __init__(self, inputs: Inputs, used: tuple[str, ...]) -> None:
        super().__init__()
        shapes = {IMAGE: inputs.image, NUMERIC: (len(inputs.numeric),), CATEGORICAL: (len(inputs.categorical),)}
        # Inputs of no columns are left out.
        self.shapes = {name: shape for name in INPUTS if name in used and (shape := shapes[name]) not in (None, (0,))}

    def blank(self) -> dict[str, Tensor]:
        """A batch to be traced, by name and in the order of the file."""
        return {
            name: torch.zeros(TRACED, *shape or (), dtype=getattr(torch, INPUTS[name]))
            for name, shape in self.shapes.items()
        }

    def forward(
        self, image: Tensor | None = None, numeric: Tensor | None = None, categorical: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Each of `outputs`, from the inputs that there are."""
        named = ((IMAGE, image), (NUMERIC, numeric), (CATEGORICAL, categorical))
        return self.answers({name: tensor for name, tensor in named if tensor is not None})

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        raise NotImplementedError


class _ServedNetwork(Served):
    """`scores`, `embedding` and, where the head is linear on the mean of maps, `maps`."""

    speaking: Tensor | None

    def __init__(self, network: Network, task: Task) -> None:
        image = (IMAGE,) if network.scaler is not None else ()
        table = (NUMERIC, CATEGORICAL) if network.encoder is not None else ()
        super().__init__(network.inputs, image + table)
        self.network, self.task = network, task
        self.outputs = (SCORES, EMBEDDING)
        self.layer, speaking = map_head(network, task, _whole(self.blank()))
        self.register_buffer("speaking", speaking)
        if self.layer is not None:
            self.outputs = (*self.outputs, MAPS)

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        with heard_in(self.network, self.layer) as heard:
            scores = self.task.answers(self.network(_whole(given)))
        if self.speaking is None:
            return scores, heard[EMBEDDING]
        return scores, heard[EMBEDDING], functional.conv2d(heard[MAPS], self.speaking).relu()


class _ServedModule(Served):
    """`scores` alone: what the `predict_step` of a recipe's own LightningModule answers."""

    def __init__(self, module: LightningModule, inputs: Inputs) -> None:
        super().__init__(inputs, (IMAGE, NUMERIC, CATEGORICAL))
        self.module = module

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        batch = {name: planes(tensor) if name == IMAGE else tensor for name, tensor in given.items()}
        scores: Tensor = self.module.predict_step(batch, 0)
        return (scores.float(),)


def served_module(recipe: Recipe, weights: Path) -> Served:
    """Args: weights: `model.safetensors` of the run.

    Raises: ModelError: they cannot be read.
    """
    if recipe.model.module is None:
        return _ServedNetwork(load_network(recipe.model, recipe.task, weights), recipe.task)
    from totalml.training.own_module import create

    state, inputs = load_state(weights)
    with torch.random.fork_rng([]), quiet_lightning():
        module = create(recipe, inputs)
    module.load_state_dict(state)
    return _ServedModule(module, inputs)


def _whole(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """With the columns of a table that has none of a kind, which a network is given all the same."""
    count = next(iter(given.values())).shape[0]  # not len(), which torch.export takes for a constant
    nothing = {NUMERIC: torch.zeros(count, 0), CATEGORICAL: torch.zeros(count, 0, dtype=torch.int64)}
    return {**nothing, **given}
