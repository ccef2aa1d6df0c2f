"""A recipe whose model is a LightningModule of its own."""

from tests.training.planted import recipe
from totalml.component import ForeignComponent
from totalml.recipe import ModelRecipe, Recipe
from totalml.training import Flip

TARGET = "recipes.own.module.TinyNet"


def own_recipe(
    target: str = TARGET, arguments: dict | None = None, callbacks: tuple = (), **training: object
) -> Recipe:
    """With dropout, augmentation and a schedule by step, so that every random part is at work."""
    planted = recipe(augment=(Flip(),), **training)
    module = ForeignComponent(target=target, arguments={"width": 8} if arguments is None else arguments)
    features = planted.features.model_copy(update={"table": None})
    values = {name: getattr(planted, name) for name in type(planted).model_fields}
    values["training"] = planted.training.model_copy(update={"callbacks": callbacks})
    return Recipe(**values | {"model": ModelRecipe(module=module), "features": features})
