"""`train_model`: features -> the best weights, and all that is needed to go on after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from lightning.pytorch import Callback, Trainer

from totalml.component import plain
from totalml.errors import TrainingError
from totalml.identity import canonical, digest
from totalml.model import Network, build_network, save_network
from totalml.progress import Progress
from totalml.recipe import Recipe
from totalml.runs.attempt import WEIGHTS_FILE
from totalml.training.checkpoint import Checkpoint, UnusableCheckpoint
from totalml.training.execution import quiet_lightning, reproducible
from totalml.training.history import TrainedModel, write_steps
from totalml.training.keep import BEST, LAST, Keep
from totalml.training.learner import Learner, Plan
from totalml.training.listen import Pruned
from totalml.training.ranks.environment import trainer_options
from totalml.training.ranks.team import Member, Team, team_of
from totalml.training.ranks.witness import Witness
from totalml.training.unprofiled import Unprofiled
from totalml.training.watch import STOPS, Watch, stopped

if TYPE_CHECKING:
    from totalml.data import Splits
    from totalml.features import FeatureSet
    from totalml.training.ranks.meeting import Meeting
    from totalml.training.ranks.process_rank import ProcessRank

SILENT = Progress.silent()
NOT_NORMALISED = "Expected more than 1 value per channel"  # of torch.nn.functional.batch_norm
PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"float32": "32-true", "bfloat16": "bf16-mixed"}


def train_model(
    recipe: Recipe, features: FeatureSet, splits: Splits, folder: Path, progress: Progress = SILENT
) -> TrainedModel:
    """Train, or go on where `folder` says that an interrupted attempt of the same training stopped.

    Args:
        folder: gets checkpoints/best.ckpt, checkpoints/last.ckpt, steps.npy and model.safetensors. With
            `runtime.strategy: ddp` it is the attempt's, and the other processes read its recipe.yaml and run.json.
    Raises:
        TrainingError: a split does not allow training, no GPU, the loss is no longer a number, or a process was lost.
        Interrupted: Ctrl-C; a second call goes on after the last whole epoch.
    """
    _require_samples(splits)
    if recipe.model.module is not None:
        from totalml.training.own_module import train_module

        return train_module(recipe, features, splits, folder, progress)
    recipe.task.require_learnable(features.targets, splits.train)
    keep, network, start = _train(recipe, features, splits, folder, progress, team_of(recipe, folder))
    write_steps(folder, keep.losses.numpy())
    best = Checkpoint.load(keep.folder / BEST, keep.fingerprint)
    network.load_state_dict(best.network)
    return TrainedModel(
        weights=folder / WEIGHTS_FILE,
        weights_digest=save_network(network, folder / WEIGHTS_FILE),
        features_digest=features.content_digest(),
        score=recipe.task.score,
        history=keep.history,
        best_epoch=keep.best.epoch,
        epochs_run=len(keep.history),
        resumed_from=len(start.history) if start else None,
        stopped="early" if keep.exhausted else "finished",
    )


def train_along(
    recipe: Recipe, features: FeatureSet, splits: Splits, meeting: Meeting, place: ProcessRank, progress: Progress
) -> None:
    """The part of a rank other than 0 in `train_model`; it writes nothing."""
    _train(recipe, features, splits, Path(meeting.folder), progress, Member(meeting, place, Witness(progress)))


def _train(
    recipe: Recipe, features: FeatureSet, splits: Splits, folder: Path, progress: Progress, team: Team
) -> tuple[Keep, Network, Checkpoint | None]:
    objective = recipe.task.objective(features.targets, splits.train, recipe.training)
    plan = Plan(recipe.training, features, splits.train, splits.validation, recipe.seed, objective)
    checkpoints = folder / "checkpoints"
    fingerprint = _fingerprint(recipe, plan)
    start = _resume(checkpoints, fingerprint, progress)
    watch = Watch(progress, recipe.training.epochs, plan.steps_per_epoch, recipe.task)
    stopping = recipe.training.early_stopping
    keep = Keep(checkpoints, fingerprint, start, recipe.task, stopping, watch)
    with reproducible(recipe.runtime, recipe.seed, team.place) as device, quiet_lightning(), watch.listening():
        network = build_network(recipe.model, recipe.task, features, splits.train)
        if start:
            network.load_state_dict(start.network)
        if not keep.exhausted and len(keep.history) < recipe.training.epochs:
            with team.joined(f"{fingerprint} after epoch {len(keep.history)}", device, watch):
                learner = Learner(network, plan, start, recipe.runtime.compile, team.place)
                _fit(learner, recipe, device, keep, watch, team.callbacks)
    return keep, network, start


def _fit(
    learner: Learner,
    recipe: Recipe,
    device: torch.device,
    keep: Keep,
    watch: Watch,
    more: Sequence[Callback] = (),
) -> None:
    trainer = Trainer(
        **trainer_options(learner.place, device),
        precision=PRECISIONS[recipe.runtime.precision],
        max_epochs=recipe.training.epochs - learner.first_epoch,
        callbacks=[keep, watch, *more],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        profiler=Unprofiled(),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=keep.folder,
    )
    try:
        trainer.fit(learner)
    except Pruned:
        raise
    except STOPS:
        raise stopped(len(keep.history), recipe.training.epochs) from None
    except ValueError as error:
        if NOT_NORMALISED not in str(error):
            raise
        raise TrainingError(
            "a batch of a single sample cannot be normalised by the model's batch normalisation; set "
            f"training.batch_size to 2 or more (it is {recipe.training.batch_size}), and train on more than one sample."
        ) from error
    finally:
        watch.close()


def _require_samples(splits: Splits) -> None:
    for name, rows in (("train", splits.train), ("validation", splits.validation)):
        if len(rows) == 0:
            raise TrainingError(f"the {name} split holds no samples; enlarge data.split.{name} or add samples.")


def _fingerprint(recipe: Recipe, plan: Plan) -> str:
    what = {
        "task": plain(recipe.task, where=False),
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
