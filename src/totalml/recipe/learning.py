"""`model` and `training`: what learns, and how."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, InstanceOf, model_validator

from totalml.component import ForeignComponent, Items, Section
from totalml.kinds import Augmentation, ImageBackbone, Schedule, TableBackbone
from totalml.recipe.bounds import Positive


def _under(prefix: str, kind: type[Section] = ForeignComponent) -> AfterValidator:
    """Accept a class of torch whose name starts with `prefix`, or a component of our own `kind`."""

    def check(component: Section) -> Section:
        if isinstance(component, ForeignComponent):
            fits, given = component.target.startswith(prefix), component.target
        else:
            fits, given = isinstance(component, kind), type(component).__name__
        if not fits:
            ours = "" if kind is ForeignComponent else f" or a component of kind {kind.__name__}"
            raise ValueError(f"expected a class under {prefix[:-1]}{ours}, got {given}")
        return component

    return AfterValidator(check)


Optimizer = Annotated[InstanceOf[ForeignComponent], _under("torch.optim.")]
Scheduler = Annotated[InstanceOf[Section], _under("torch.optim.lr_scheduler.", Schedule)]


class ModelRecipe(Section):
    """Backbones whose embeddings are joined before one linear head."""

    image: InstanceOf[ImageBackbone] | None = None
    table: InstanceOf[TableBackbone] | None = None
    freeze: bool = False  # keep the image backbone as it starts; its embeddings are computed once and kept
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

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
    optimizer: Optimizer
    scheduler: Scheduler | None = None
    schedule_every: Literal["epoch", "step"] = "epoch"  # for a scheduler of torch; ours go by step
    augment: Items[InstanceOf[Augmentation]] = ()
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    balance_classes: bool = False  # weigh the loss by inverse class frequency
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    early_stopping: EarlyStopping | None = None
