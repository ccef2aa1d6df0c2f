"""The one LightningModule: any network, any optimizer, batches that are augmented on the device."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from totalml.errors import TrainingError
from totalml.kinds import Schedule
from totalml.model import Network
from totalml.recipe import TrainingRecipe
from totalml.training.augment import augmented
from totalml.training.batches import Batch, Batches, batches_of
from totalml.training.keys import seed_of
from totalml.training.objective import Objective, Reduction
from totalml.training.ranks.joint_dropout import share_dropout
from totalml.training.ranks.process_rank import ALONE, ProcessRank
from totalml.training.tally import TrainTally, ValidationTally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.component import ForeignComponent
    from totalml.features import FeatureSet
    from totalml.training.checkpoint import Checkpoint

_PLAIN = ("_current_fx_name", "whole_batch")  # attributes that change in every step


@dataclass(frozen=True)
class Plan:
    """What a network is trained on and how.

    Args:
        train: rows of the feature set, and so `validation`.
        seed: keys the order of samples, augmentation and dropout.
        objective: what is minimised.
    """

    recipe: TrainingRecipe
    features: FeatureSet
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    seed: int
    objective: Objective

    @property
    def steps_per_epoch(self) -> int:
        return batches_of(len(self.train), self.recipe.batch_size)


class Learner(LightningModule):
    """Args:
    start: what an interrupted training left; its network is loaded already, its optimizer is loaded when made.
    compiled: whether torch.compile is to speed the network up.
    place: among the processes that train together, each with its share of every batch.
    """

    def __init__(
        self, network: Network, plan: Plan, start: Checkpoint | None, compiled: bool, place: ProcessRank = ALONE
    ) -> None:
        super().__init__()
        # Lightning's automatic steps call a dozen more hooks, none of which is needed here.
        self.automatic_optimization = False
        self.network = network
        self.plan = plan
        self.place = place
        self.first_epoch = len(start.history) if start else 0
        self._start = start
        self._score = torch.compile(network) if compiled else network
        self.objective = plan.objective
        self.scheduler: Any = None
        own = isinstance(plan.recipe.scheduler, Schedule)
        self._schedule_every = "step" if own else plan.recipe.schedule_every
        self.whole_batch = 0  # samples of the batch under way, on all ranks
        self.mask_generator: torch.Generator | None = None
        if not place.alone:
            share_dropout(self)
        self.training_tally = TrainTally(0)
        self.validation_tally = ValidationTally()

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning notes the hook under way forty times a step; torch's search for parameters in it takes 0.1 ms.
        if name in _PLAIN:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def epoch(self) -> int:
        """The epoch under way, from 0, over all attempts."""
        return self.first_epoch + self.current_epoch

    def train_dataloader(self) -> Batches:
        plan = self.plan
        return Batches.shuffled(plan.features, plan.train, plan.recipe.batch_size, plan.seed, self.epoch, self.place)

    def val_dataloader(self) -> Batches:
        return Batches(self.plan.features, self.plan.validation, self.plan.recipe.batch_size, place=self.place)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return {name: tensor.to(device) for name, tensor in batch.items()}

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        if "key" not in batch or "image" not in batch or not len(batch["key"]):
            return batch
        return {**batch, "image": augmented(batch["image"], self.plan.recipe.augment, batch["key"])}

    def on_train_epoch_start(self) -> None:
        # Seeded by epoch, so that a resumed training draws the same dropout as an uninterrupted one.
        torch.manual_seed(seed_of(self.plan.seed, self.epoch, self.place.rank))
        if not self.place.alone:
            self.mask_generator = torch.Generator(self.device)
            self.mask_generator.manual_seed(seed_of(self.plan.seed, self.epoch))
        self.training_tally = TrainTally(self.epoch + 1, self.place)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        optimizer = self.trainer.optimizers[0]
        learning_rate = optimizer.param_groups[0]["lr"]
        self.whole_batch = len(batch.get("all_targets", batch["target"]))
        loss: Any = optimizer.step(lambda: self._descend(batch, optimizer))
        self.training_tally.add(loss, self.whole_batch, learning_rate)
        if self.scheduler is not None and self._schedule_every == "step":
            self.scheduler.step()

    # Lightning reads off the arguments before every step, which takes 0.05 ms where they are not noted here.
    training_step.__signature__ = signature(training_step)  # type: ignore[attr-defined]

    def _descend(self, batch: Batch, optimizer: torch.optim.Optimizer) -> Any:
        """The loss, with its gradients left in the weights."""
        recipe = self.plan.recipe
        optimizer.zero_grad()
        reduction: Reduction = "mean" if self.place.alone else "sum"
        loss: Tensor = self.objective(self._score(batch), batch["target"], reduction)
        if self.place.alone:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            loss = loss * self._part_of_mean(batch["all_targets"])
            self.manual_backward(loss)  # averages the gradients over the ranks
        if recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip_norm)
        return loss

    def _part_of_mean(self, targets: Tensor) -> Tensor | float:
        """What a rank's sum of losses is multiplied by, so that the mean over the ranks is that over all `targets`."""
        return self.place.world_size / self.objective.weight(targets)

    def on_validation_epoch_start(self) -> None:
        self.training_tally.require_finite()
        self.validation_tally = ValidationTally(self.place)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        judged = self.objective.judge(self._score(batch).float(), batch["target"])
        self.validation_tally.add(judged.losses, judged.weights, judged.scores)

    def on_validation_epoch_end(self) -> None:
        loss, _ = self.validation_tally.means()
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss)
        elif self.scheduler is not None and self._schedule_every == "epoch":
            self.scheduler.step()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        recipe, start = self.plan.recipe, self._start
        named = cast("ForeignComponent", recipe.optimizer)
        optimizer: torch.optim.Optimizer = _created(named, "optimizer", self.network.parameters())
        self.scheduler = self._scheduler(optimizer)
        if start:  # only now: a new scheduler sets the optimizer's first learning rate
            optimizer.load_state_dict(start.optimizer)
        if start and self.scheduler is not None:
            self.scheduler.load_state_dict(start.schedule)
        return optimizer

    def _scheduler(self, optimizer: torch.optim.Optimizer) -> Any:
        schedule = self.plan.recipe.scheduler
        if not isinstance(schedule, Schedule):
            return schedule and _created(cast("ForeignComponent", schedule), "scheduler", optimizer)
        steps = self.plan.recipe.epochs * self.plan.steps_per_epoch
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule.factor(step / steps))


def _created(component: ForeignComponent, key: str, handed_over: Any) -> Any:
    try:
        return component.create(handed_over)
    except Exception as error:  # a class of another package fails in ways of its own
        raise TrainingError(f"training.{key}: {component.target} refuses its arguments: {error}") from error
