"""Train a LightningModule of the recipe's own: its steps and optimizers, our batches, checkpoints and records."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from totalml.component import plain
from totalml.errors import ModelError, TrainingError
from totalml.identity import canonical, digest
from totalml.model.inputs import Inputs
from totalml.model.saved import save_state
from totalml.progress import Progress
from totalml.runs.attempt import WEIGHTS_FILE
from totalml.training.execution import quiet_lightning, reproducible
from totalml.training.history import TrainedModel, best_of, write_steps
from totalml.training.listen import Pruned
from totalml.training.own_batches import EpochBatches, OwnBatches
from totalml.training.own_checkpoint import OwnCheckpoints, PlainCheckpointIO, resumable
from totalml.training.ranks.environment import trainer_options
from totalml.training.ranks.process_rank import ALONE
from totalml.training.watch import STOPS, Watch, stopped

if TYPE_CHECKING:
    from totalml.component import ForeignComponent
    from totalml.data import Splits
    from totalml.features import FeatureSet
    from totalml.recipe import Recipe

TAKE_INPUTS = "take_inputs"  # of a module that finds its columns by name
LONGEST = 300  # characters of an error
PRECISIONS: dict[str, Any] = {"float32": "32-true", "bfloat16": "bf16-mixed"}


def train_module(
    recipe: Recipe, features: FeatureSet, splits: Splits, folder: Path, progress: Progress
) -> TrainedModel:
    """Fit it with Lightning's Trainer; go on after the last whole epoch of an interrupted attempt.

    Raises: ModelError: it cannot be made. TrainingError: it logs no validation loss, or its loss is no longer a number.
    """
    training, task = recipe.training, recipe.task
    batches = EpochBatches(features, splits.train, training.batch_size, recipe.seed, training.augment)
    fingerprint = _fingerprint(recipe, features, splits)
    watch = Watch(progress, training.epochs, len(batches), task)
    checkpoints = OwnCheckpoints(folder / "checkpoints", fingerprint, recipe, watch)
    start = resumable(folder / "checkpoints", fingerprint, progress)
    with reproducible(recipe.runtime, recipe.seed) as device, quiet_lightning(), watch.listening():
        inputs = Inputs.of(features)
        module = create(recipe, inputs)
        trainer = Trainer(
            **_options(recipe, device),
            max_epochs=training.epochs,
            callbacks=[checkpoints, watch, *map(_callback, training.callbacks)],
            default_root_dir=folder,
        )
        validation = OwnBatches(features, splits.validation, training.batch_size)
        _fit(trainer, module, batches, validation, start, checkpoints, watch)
        module.load_state_dict(checkpoints.best_state())
    history = checkpoints.history
    write_steps(folder, checkpoints.losses.numpy())
    return TrainedModel(
        weights=folder / WEIGHTS_FILE,
        weights_digest=save_state(module.state_dict(), inputs, folder / WEIGHTS_FILE),
        features_digest=features.content_digest(),
        score=task.score,
        history=history,
        best_epoch=best_of(history, task, checkpoints.metric).epoch,
        epochs_run=len(history),
        resumed_from=checkpoints.resumed_from,
        stopped="early" if checkpoints.exhausted else "finished",
    )


def create(recipe: Recipe, inputs: Inputs) -> LightningModule:
    """The module, told by its `take_inputs`, where it has one, what it is given.

    Raises: ModelError: its class cannot be imported, is no LightningModule, or refuses its arguments or its inputs.
    """
    component = recipe.model.module
    if component is None:
        raise ModelError("the recipe names no LightningModule")
    try:
        module = component.create()
    except Exception as error:  # code of the recipe's own fails in any way
        raise ModelError(f"{component.target} cannot be made: {type(error).__name__}: {error}") from error
    if not isinstance(module, LightningModule):
        raise ModelError(f"{component.target} is no lightning.pytorch.LightningModule")
    if type(module).predict_step is LightningModule.predict_step:
        raise ModelError(
            f"{component.target} has no predict_step; let it return the task's answers, such as a probability of each "
            "class: def predict_step(self, batch, batch_idx): return self(batch['image']).softmax(dim=1)"
        )
    if not module.automatic_optimization:
        raise ModelError(f"{component.target} sets automatic_optimization = False; leave the steps to Lightning")
    if hasattr(module, TAKE_INPUTS):
        _take(module, inputs)
    return module


def _take(module: LightningModule, inputs: Inputs) -> None:
    try:
        getattr(module, TAKE_INPUTS)(inputs)
    except ModelError:
        raise
    except Exception as error:  # code of the recipe's own fails in any way
        raise ModelError(f"{type(module).__name__}.{TAKE_INPUTS} failed: {told(error)}") from error


def _callback(component: ForeignComponent) -> Callback:
    """Epochs as keys are whole numbers, which a recipe can only write as text."""
    arguments = {
        name: {int(key): each for key, each in value.items()} if isinstance(value, dict) else value
        for name, value in component.arguments.items()
    }
    try:
        callback: Callback = component.model_copy(update={"arguments": arguments}).create()
    except Exception as error:  # Lightning has errors of its own for arguments
        raise TrainingError(f"training.callbacks: {component.target} refuses its arguments: {error}") from error
    return callback


def _options(recipe: Recipe, device: torch.device) -> dict[str, Any]:
    given = trainer_options(ALONE, device)
    return {
        **given,
        "plugins": [*given["plugins"], PlainCheckpointIO()],
        "precision": PRECISIONS[recipe.runtime.precision],
        "gradient_clip_val": recipe.training.clip_norm,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }


def _fit(
    trainer: Trainer,
    module: LightningModule,
    batches: EpochBatches,
    validation: OwnBatches,
    start: Path | None,
    checkpoints: OwnCheckpoints,
    watch: Watch,
) -> None:
    checkpoints.follow(batches)
    try:
        trainer.fit(module, batches, validation, ckpt_path=start, weights_only=True)
    except Pruned:
        raise
    except STOPS:
        raise stopped(len(checkpoints.history)) from None
    except (TrainingError, ModelError):
        raise
    except Exception as error:  # code of the recipe's own fails in any way
        where = f"epoch {len(checkpoints.history) + 1}"
        raise TrainingError(f"{type(module).__name__} failed in {where}: {told(error)}") from error
    finally:
        watch.close()


def told(error: Exception) -> str:
    """In one line, with the line of the recipe's own code, and what a batch is."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "recipes" in Path(frame.filename).parts]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = " ".join(str(error).split())[:LONGEST]
    return f"{type(error).__name__}: {text}{where}. A batch is a dict with image, numeric, categorical and target"


def _fingerprint(recipe: Recipe, features: FeatureSet, splits: Splits) -> str:
    what = {
        "task": plain(recipe.task, where=False),
        "model": plain(recipe.model, where=False),
        "training": plain(recipe.training, where=False),
        "seed": recipe.seed,
        "features": features.key,
        "train": splits.train.tolist(),
        "validation": splits.validation.tolist(),
    }
    return digest("own training v1", canonical(what))
