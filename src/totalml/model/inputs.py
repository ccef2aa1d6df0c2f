"""What a network takes and answers: enough to build it again without its data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from totalml.features import FeatureSet


@dataclass(frozen=True)
class Inputs:
    """Args:
    targets: names of what is predicted, in the order of the task's answers.
    image: (H, W, C), None if the network sees no picture.
    numeric: names of the numeric columns.
    categorical: names of the categorical columns.
    vocabularies: the values of each categorical column; code 0 is anything else.
    """

    targets: tuple[str, ...]
    image: tuple[int, int, int] | None
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, features: FeatureSet) -> Self:
        return cls(
            features.targets.names,
            features.images.shape if features.images else None,
            features.numeric_names,
            features.categorical_names,
            features.vocabularies,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        return cls(**{name: _frozen(value) for name, value in fields.items()})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
