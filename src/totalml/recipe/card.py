"""`card`: what only people know of a model, for its card."""

from typing import Annotated

from pydantic import Field

from totalml.component import Items, Section

Text = Annotated[str, Field(min_length=1)]


class CardRecipe(Section):
    """All of it may be left out; nothing of it is computed."""

    license: Text | None = None  # of the model, as Hugging Face spells it: apache-2.0
    tags: Items[Text] = ()
    intended_use: Text | None = None
    limits: Items[Text] = ()  # what it must not be used for, and on whom it was never tested
