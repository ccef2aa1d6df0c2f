"""`train_model`: features -> the best weights, and all that is needed to go on after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Trainer

from totalml.component import plain
from totalml.errors import Interrupted, TrainingError
from totalml.identity import canonical, digest
from totalml.model import build_network, save_network
from totalml.progress import Progress
from totalml.recipe import Recipe
from totalml.training.checkpoint import Checkpoint, UnusableCheckpoint
from totalml.training.classifier import Classifier, Plan
from totalml.training.execution import quiet_lightning, reproducible
from totalml.training.history import TrainedModel
from totalml.training.keep import BEST, LAST, Keep
from totalml.training.listen import Pruned
from totalml.training.watch import Watch

if TYPE_CHECKING:
    from totalml.data import Splits
    from totalml.features import FeatureSet

SILENT = Progress.silent()
PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"float32": "32-true", "bfloat16": "bf16-mixed"}


def train_model(
    recipe: Recipe, features: FeatureSet, splits: Splits, folder: Path, progress: Progress = SILENT
) -> TrainedModel:
    """Train, or go on where `folder` says that an interrupted attempt of the same training stopped.

    Args:
        folder: gets checkpoints/best.ckpt, checkpoints/last.ckpt and model.safetensors.
    Raises:
        TrainingError: a split does not allow training, no GPU, or the loss is no longer a number.
        Interrupted: Ctrl-C; a second call goes on after the last whole epoch.
    """
    _require_samples(features, splits)
    plan = Plan(recipe.training, features, splits.train, splits.validation, recipe.seed)
    checkpoints = folder / "checkpoints"
    fingerprint = _fingerprint(recipe, plan)
    start = _resume(checkpoints, fingerprint, progress)
    watch = Watch(progress, recipe.training.epochs, plan.steps_per_epoch)
    stopping = recipe.training.early_stopping
    keep = Keep(checkpoints, fingerprint, start.history if start else (), stopping, watch)
    with reproducible(recipe.runtime, recipe.seed) as device, quiet_lightning(), watch.listening():
        network = build_network(recipe.model, features, splits.train)
        if start:
            network.load_state_dict(start.network)
        if not keep.exhausted and len(keep.history) < recipe.training.epochs:
            classifier = Classifier(network, plan, start, recipe.runtime.compile)
            _fit(classifier, recipe, device, keep, watch)
        best = Checkpoint.load(checkpoints / BEST, fingerprint)
        network.load_state_dict(best.network)
        weights_digest = save_network(network, folder / "model.safetensors")
    return TrainedModel(
        weights=folder / "model.safetensors",
        weights_digest=weights_digest,
        history=keep.history,
        best_epoch=keep.best.epoch,
        epochs_run=len(keep.history),
        resumed_from=len(start.history) if start else None,
        stopped="early" if keep.exhausted else "finished",
    )


def _fit(classifier: Classifier, recipe: Recipe, device: torch.device, keep: Keep, watch: Watch) -> None:
    trainer = Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=PRECISIONS[recipe.runtime.precision],
        max_epochs=recipe.training.epochs - classifier.first_epoch,
        callbacks=[keep, watch],
        plugins=[LightningEnvironment()],  # not what a cluster's variables suggest: one process, one device
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=keep.folder,
    )
    try:
        trainer.fit(classifier)
    except Pruned:
        raise
    except Interrupted:
        done = len(keep.history)
        kept = f"{done} of {recipe.training.epochs} epochs are kept" if done else "no whole epoch was finished"
        raise Interrupted(
            f"training stopped in epoch {done + 1}; {kept}. Give the same command again to go on from there."
        ) from None
    finally:
        watch.close()


def _require_samples(features: FeatureSet, splits: Splits) -> None:
    for name, rows in (("train", splits.train), ("validation", splits.validation)):
        if len(rows) == 0:
            raise TrainingError(f"the {name} split holds no samples; enlarge data.split.{name} or add samples.")
    present = {features.classes[label] for label in set(features.labels[splits.train].tolist())}
    if len(present) < 2:
        raise TrainingError(
            f"all training samples have the label {present.pop()!r}; there is nothing to tell apart. "
            "Add samples of another label."
        )


def _fingerprint(recipe: Recipe, plan: Plan) -> str:
    what = {
        "model": plain(recipe.model, where=False),
        "training": plain(recipe.training, where=False),
        "seed": recipe.seed,
        "features": plan.features.key,
        "train": plan.train.tolist(),
        "validation": plan.validation.tolist(),
    }
    return digest("training v1", canonical(what))


def _resume(checkpoints: Path, fingerprint: str, progress: Progress) -> Checkpoint | None:
    path = checkpoints / LAST
    if not path.exists():
        return None
    try:
        start = Checkpoint.load(path, fingerprint)
        Checkpoint.load(checkpoints / BEST, fingerprint)
    except UnusableCheckpoint as error:
        progress.say(f"training starts over: {error}")
        return None
    progress.say(f"going on after epoch {len(start.history)} of an interrupted training")
    return start
