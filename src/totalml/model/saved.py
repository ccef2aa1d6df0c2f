"""A trained network as one safetensors file: weights, preprocessing, and what it takes and answers."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from totalml.errors import ModelError
from totalml.identity import digest
from totalml.kinds import Task
from totalml.model.inputs import Inputs
from totalml.model.network import IMAGE_PARTS, Network
from totalml.recipe import ModelRecipe
from totalml.store.atomic import write_atomically

METADATA = "totalml network v1"  # one key only: the format writes several in any order, which would change the digest


def save_network(network: Network, path: Path) -> str:
    """Write the file and return its digest; equal weights give equal bytes."""
    state = {**network.frozen, **network.state_dict()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    data = save(tensors, {METADATA: network.inputs.to_json()})
    write_atomically(path, data)
    return weights_digest(data)


def weights_digest(data: bytes) -> str:
    """The digest of a network's file."""
    return digest("weights v1", data)


def load_network(recipe: ModelRecipe, task: Task, path: Path, embedded: int | None = None) -> Network:
    """The network as it was saved, in evaluation mode on the CPU; nothing is downloaded.

    Args:
        embedded: width of the embeddings that the network will be given; its image backbone is then left out.
    Raises: ModelError: the file is missing or damaged, or holds another network.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            left_out = () if embedded is None else IMAGE_PARTS
            names = [name for name in file.keys() if not name.startswith(left_out)]  # noqa: SIM118  # is no mapping
            state = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the model {path} cannot be read: {error}. Train it again.") from error
    if METADATA not in metadata:
        raise ModelError(f"{path} was not written by totalml; give the model.safetensors of a run")
    image = recipe.image.untrained() if recipe.image else None
    network = Network(recipe.model_copy(update={"image": image}), task, Inputs.from_json(metadata[METADATA]), embedded)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path} does not fit the recipe's model: {error}") from error
    return network.eval()
