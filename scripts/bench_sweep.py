"""Trials per minute of one sweep, against as many fresh processes of a plain Lightning script on the same JPEGs.

Both sides train the same network for the same epochs on the same split of the smoke recipe's pints, once for each of
the learning rates, and measure it on the test split. Rendering the pints is counted on neither side; decoding, every
start of Python and every import are. Then the same sweep again, which has nothing to train: CPU seconds for each job.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RATIO, REUSED_CPU_S = 8.0, 0.2
PLAIN = """
import sys
import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder
from totalml.model.small_cnn import SmallCnn  # the same network, built by the same code

folder, rate, epochs = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])

class Pints(pl.LightningModule):
    def __init__(self):
        super().__init__()
        body, width = SmallCnn().build(3)
        self.network = nn.Sequential(body, nn.Linear(width, 2))

    def training_step(self, batch):
        return nn.functional.cross_entropy(self.network(batch[0]), batch[1], label_smoothing=0.08)

    def validation_step(self, batch):
        self.log("validation_loss", nn.functional.cross_entropy(self.network(batch[0]), batch[1]))

    def test_step(self, batch):
        self.log("accuracy", (self.network(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), rate, weight_decay=0.01)

def loader(split, *changes):
    normal = [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    data = ImageFolder(f"{folder}/{split}", transforms.Compose([*changes, *normal]))
    return DataLoader(data, 32, shuffle=bool(changes), num_workers=WORKERS, persistent_workers=WORKERS > 0)

changes = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(64, padding=8, padding_mode="reflect")]
pl.seed_everything(0)
trainer = pl.Trainer(accelerator="cpu", max_epochs=epochs, logger=False, enable_progress_bar=False,
                     enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0)
model = Pints()
trainer.fit(model, loader("train", *changes), loader("validation"))
trainer.test(model, loader("test"), verbose=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="of the sweep; 1: all trials in one")
    parser.add_argument(
        "--workers", type=int, nargs="*", default=[0, 2], help="of the script's loaders; best one counts"
    )
    options = parser.parse_args()
    rates = [round(0.0005 * 1.2**number, 6) for number in range(options.trials)]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        recipe = [
            f"runtime.store={work / 'store'}",
            f"runtime.runs={work / 'runs'}",
            f"training.epochs={options.epochs}",
        ]
        write_pints(recipe, work / "pints")
        sweep = ["run.py", "-m", "+recipe=guinness_smoke", "evaluation=quick", *recipe, *launcher(options.processes)]
        ours = cost([*sweep, f"training.optimizer.lr={','.join(map(str, rates))}"])
        theirs = min(plain(work, rates, options.epochs, workers) for workers in options.workers)
        _, all_again = cost([*sweep, f"training.optimizer.lr={','.join(map(str, rates))}"])
        _, one_again = cost([*sweep, f"training.optimizer.lr={rates[0]}"])
    trials = options.trials
    size = f"{trials} trials, {options.epochs} epochs, {options.processes} processes"
    print(f"sweep of the smoke recipe with evaluation=quick: {size}")
    print(f"{'':<34}{'wall s':>8}{'CPU s':>8}{'trials/min':>12}")
    for title, (wall, cpu) in (("one sweep", ours), ("fresh processes of plain Lightning", theirs)):
        print(f"{title:<34}{wall:>8.1f}{cpu:>8.1f}{60 * trials / wall:>12.1f}")
    wall_ratio, cpu_ratio = theirs[0] / ours[0], theirs[1] / ours[1]
    print(f"{'ratio':<34}{wall_ratio:>7.1f}x{cpu_ratio:>7.1f}x  target at least {RATIO:g}x on the clock")
    if trials > 1:
        each = (all_again - one_again) / (trials - 1)
        print(f"{'CPU s for each reused job':<34}{each:>16.3f}  target at most {REUSED_CPU_S:g}")


def launcher(processes: int) -> list[str]:
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={processes}"] if processes > 1 else []


def write_pints(recipe: Sequence[str], folder: Path) -> None:
    """Take the snapshot that the sweep will find, and lay its JPEGs out as the script wants them."""
    sys.path.insert(0, str(REPOSITORY))
    from totalml.compose import compose_recipe
    from totalml.data import split_samples, take_snapshot
    from totalml.store import Store

    composed = compose_recipe(REPOSITORY, ["+recipe=guinness_smoke", *recipe])
    store = Store(Path(composed.runtime.store))
    snapshot = take_snapshot(composed.data, store)
    splits = split_samples(composed.data.split, snapshot)
    blobs, labels = snapshot.samples["blob"].to_pylist(), snapshot.samples["label"].to_pylist()
    for split in ("train", "validation", "test"):
        for row in getattr(splits, split).tolist():
            file = folder / split / labels[row] / f"{row}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(store.read(blobs[row]))


def plain(work: Path, rates: Sequence[float], epochs: int, workers: int) -> tuple[float, float]:
    """Wall and CPU seconds of one process after the other."""
    script = work / f"plain_{workers}.py"
    script.write_text(PLAIN.replace("WORKERS", str(workers)))
    costs = [cost([str(script), str(work / "pints"), str(rate), str(epochs)]) for rate in rates]
    return sum(wall for wall, _ in costs), sum(cpu for _, cpu in costs)


def cost(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one process of Python and its children."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return wall, after.children_user - before.children_user + after.children_system - before.children_system


if __name__ == "__main__":
    main()
