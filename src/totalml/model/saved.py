"""A trained network as one safetensors file: weights, preprocessing, and what it takes and answers."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from totalml.errors import ModelError
from totalml.identity import digest
from totalml.model.inputs import Inputs
from totalml.model.network import Network
from totalml.recipe import ModelRecipe
from totalml.store.atomic import write_atomically

METADATA = "totalml network v1"  # one key only: the format writes several in any order, which would change the digest


def save_network(network: Network, path: Path) -> str:
    """Write the file and return its digest; equal weights give equal bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    data = save(tensors, {METADATA: network.inputs.to_json()})
    write_atomically(path, data)
    return digest("weights v1", data)


def load_network(recipe: ModelRecipe, path: Path) -> Network:
    """The network as it was saved, in evaluation mode on the CPU; nothing is downloaded.

    Raises: ModelError: the file is missing or damaged, or holds another network.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the model {path} cannot be read: {error}. Train it again.") from error
    if METADATA not in metadata:
        raise ModelError(f"{path} was not written by totalml; give the model.safetensors of a run")
    image = recipe.image.untrained() if recipe.image else None
    network = Network(recipe.model_copy(update={"image": image}), Inputs.from_json(metadata[METADATA]))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path} does not fit the recipe's model: {error}") from error
    return network.eval()
