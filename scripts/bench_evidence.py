"""What evidence about a model costs beside predicting the same pictures, on the CPU: milliseconds a picture.

Networks with random weights, which cost what trained ones do; pictures of noise, gathered from memory. Medians of
interleaved repeats.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from totalml.evaluation.explanation import methods
from totalml.evaluation.explanation.layer import map_layer
from totalml.model import Network, SmallCnn, TorchvisionBackbone
from totalml.model.inputs import Inputs
from totalml.recipe import ModelRecipe
from totalml.task import Classification
from totalml.training.end_to_end import EndToEndNetwork

TARGET_MS = 1.0  # of Grad-CAM, more than predicting
FEW = 4  # pictures of the slow methods
NETWORKS = {
    "SmallCnn, 128 px": (SmallCnn(), 128),
    "SmallCnn, 64 px": (SmallCnn(), 64),
    "ResNet-18, 64 px": (TorchvisionBackbone(name="resnet18"), 64),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{'explanations, ' + str(torch.get_num_threads()) + ' threads':<44}{'ms each':>9}{'ratio':>8}  target")
    for name, (backbone, side) in NETWORKS.items():
        whole = network_of(backbone, side, options.pictures)
        times = measured(whole, np.arange(options.pictures), options.repeats)
        peer = times["predict"]
        for what, milliseconds in times.items():
            target = f"at most {TARGET_MS:g} ms more" if what == "Grad-CAM" else ""
            print(f"{name + ': ' + what:<44}{milliseconds:>9.3f}{milliseconds / peer:>7.1f}x  {target}")


def network_of(backbone: SmallCnn | TorchvisionBackbone, side: int, count: int) -> EndToEndNetwork:
    torch.manual_seed(0)
    shape = (side, side, 3)
    network = Network(ModelRecipe(image=backbone), Classification(), Inputs(("bad", "good"), shape, (), (), ())).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    images = SimpleNamespace(gather=lambda rows: pixels[rows], shape=shape)
    none = np.zeros((count, 0), np.float32)
    features = SimpleNamespace(images=images, numeric=none, categorical=none.astype(np.int64))
    return EndToEndNetwork(network, torch.device("cpu"), features, Classification())


def measured(whole: EndToEndNetwork, rows: np.ndarray, repeats: int) -> dict[str, float]:
    """Milliseconds a picture of each way to look at it."""
    layer = map_layer(whole.network, whole.inputs(rows[:1]))
    classes = np.zeros(len(rows), np.int64)
    few = rows[:FEW]
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "predict": (lambda: predict(whole, rows), len(rows)),
        "Grad-CAM": (lambda: methods.grad_cam(whole, whole.network, layer, rows, classes), len(rows)),
        "integrated gradients": (lambda: methods.integrated_gradients(whole, few, classes[:FEW]), FEW),
        "SmoothGrad squared": (lambda: methods.smoothgrad_squared(whole, few, classes[:FEW], 0), FEW),
    }
    seconds: dict[str, list[float]] = {what: [] for what in ways}
    for repeat in range(repeats + 1):
        for what, (work, count) in ways.items():
            started = time.perf_counter()
            work()
            if repeat:  # the first of each imports and warms up
                seconds[what].append((time.perf_counter() - started) / count)
    return {what: 1000 * statistics.median(times) for what, times in seconds.items()}


def predict(whole: EndToEndNetwork, rows: np.ndarray) -> None:
    with torch.inference_mode():
        for start in range(0, len(rows), methods.BATCH):
            whole.network(whole.inputs(rows[start : start + methods.BATCH]))


if __name__ == "__main__":
    main()
