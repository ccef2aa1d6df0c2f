"""`model` and `training`: what learns, and how."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import ForeignComponent, Items, Section
from totalml.kinds import Augmentation, ImageBackbone, Schedule, TableBackbone
from totalml.recipe.bounds import Positive
from totalml.recipe.plugged import in_socket
from totalml.sockets import CALLBACK, MODULE, OPTIMIZER, SCHEDULER

Optimizer = Annotated[InstanceOf[ForeignComponent], in_socket(OPTIMIZER)]
Scheduler = Annotated[InstanceOf[Section], in_socket(SCHEDULER, kind=Schedule)]
Module = Annotated[InstanceOf[ForeignComponent], in_socket(MODULE)]
Callback = Annotated[InstanceOf[ForeignComponent], in_socket(CALLBACK)]


class ModelRecipe(Section):
    """Backbones whose embeddings are joined before one linear head; or a LightningModule of the recipe's own.

    The latter is written `model: {_target_: recipes.mine.MyModule, ...}`, with conf/model/own.yaml.
    """

    image: InstanceOf[ImageBackbone] | None = None
    table: InstanceOf[TableBackbone] | None = None
    freeze: bool = False  # keep the image backbone as it starts; its embeddings are computed once and kept
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    module: Module | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_a_module(cls, values: Any) -> Any:
        return {"module": values} if isinstance(values, ForeignComponent) else values

    @model_validator(mode="after")
    def _stands_alone(self) -> Self:
        if self.module and (self.image or self.table or self.freeze or self.dropout):
            raise ValueError("a LightningModule of your own stands alone; set model.image and model.table to null")
        return self

    @model_validator(mode="after")
    def _freezes_something(self) -> Self:
        if self.freeze and self.image is None:
            raise ValueError("'freeze' keeps the image backbone as it starts, and there is none; set 'image' too")
        return self


class EarlyStopping(Section):
    metric: Annotated[str, Field(min_length=1)] = "loss"  # on validation; or the score of the task, such as accuracy
    patience: Positive = 10  # epochs without improvement


class TrainingRecipe(Section):
    epochs: Positive
    batch_size: Positive
    optimizer: Optimizer | None  # null: a LightningModule brings its own
    scheduler: Scheduler | None = None
    schedule_every: Literal["epoch", "step"] = "epoch"  # for a scheduler of torch; ours go by step
    augment: Items[InstanceOf[Augmentation]] = ()
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    balance_classes: bool = False  # weigh the loss by inverse class frequency
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Items[Callback] = ()  # of Lightning, for a LightningModule
