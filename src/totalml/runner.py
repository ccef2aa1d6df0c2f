from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.recipe import Recipe


def run(recipe: "Recipe") -> None:
    print(recipe)
