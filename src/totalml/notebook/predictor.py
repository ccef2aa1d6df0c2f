"""A trained model that answers about pictures and rows that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.evaluation import Evaluation
from totalml.features import decode_given, given_features
from totalml.model.inputs import Inputs
from totalml.model.saved import load_state
from totalml.notebook.given import given_pictures, given_rows
from totalml.recipe import Recipe, RuntimeRecipe
from totalml.training import TrainedModel, predict

if TYPE_CHECKING:
    from totalml.evaluation import Evaluation
from totalml.features import FeatureSet

CHUNK = 512  # samples decoded at once; a bound for memory


@dataclass(frozen=True, repr=False)
class Predictor:
    """Args:
    recipe: the one that the model was trained by.
    inputs: what the model takes and answers.
    evaluation: holds what was fitted after training, such as thresholds and margins.
    """

    recipe: Recipe
    trained: TrainedModel
    inputs: Inputs
    evaluation: Evaluation

    @classmethod
    def load(cls, folder: Path, recipe: Recipe) -> Predictor:
        """The model of a run's folder, on the GPU if this machine has one, whatever it was trained on.

        Raises: ModelError, StoreError: it cannot be read.
        """
        trained = TrainedModel.load(folder)
        here = recipe.model_copy(update={"runtime": RuntimeRecipe()})
        return cls(here, trained, load_state(trained.weights)[1], Evaluation.load(folder))

    def predict(self, pictures: Any = None, *, rows: Any = None) -> pa.Table:
        """What the model says, in the columns of predictions.parquet and in the order given.

        Args:
            pictures: a path, a folder, an image of Pillow, or a list of them.
            rows: of the columns in features.table: an Arrow table, a data frame, a list of dictionaries, or a
                dictionary of columns; where the model sees both, one for each picture.
        Raises:
            DataError: pictures cannot be read, or not what the model sees was given; or it takes shared features, of
                which a release answers.
            FeatureError: a column is missing or of another type.
        """
        self._refuse_misfit(pictures, rows)
        ids, table = (None, None) if rows is None else given_rows(rows)
        files = None
        if pictures is not None:
            names, files = given_pictures(pictures)
            if table is not None and len(table) != len(names):
                raise DataError(f"there are {len(names)} pictures and {len(table)} rows; give one row for each picture")
            ids = names
        chunks = self._features(ids or [], files, table)
        return pa.concat_tables([self._table(features) for features in chunks])

    def __repr__(self) -> str:
        seen = [*(["pictures"] if self.inputs.image else []), *self.inputs.numeric, *self.inputs.categorical]
        return f"model of {self.recipe.name}: from {', '.join(seen)} to {' and '.join(self.inputs.targets)}"

    def _refuse_misfit(self, pictures: Any, rows: Any) -> None:
        features = self.recipe.features
        if features.shared:
            named = ", ".join(each.name for each in features.shared)
            registry = self.recipe.registry
            model = f"{self.recipe.name}@{registry.alias if registry else 'candidate'}"
            raise DataError(
                f"the model takes {named}, made of earlier rows too, which only a release keeps. Ask that of the "
                f"run: totalml predict {model} rows.parquet --out preds.parquet, or totalml serve {model}"
            )
        for name, given, seen in (("pictures", pictures, features.image), ("rows", rows, features.table)):
            if seen is not None and given is None:
                raise DataError(f"the model sees {name}; give them: predict({name}=...)")
            if seen is None and given is not None:
                raise DataError(f"the model sees no {name}; leave {name} out")

    def _features(
        self, ids: Sequence[str], files: Sequence[Any] | None, table: pa.Table | None
    ) -> Iterator[FeatureSet]:
        recipe = self.recipe
        for start in range(0, len(ids), CHUNK):
            part = slice(start, start + CHUNK)
            pictures = None
            if files is not None and recipe.features.image is not None:
                pictures = decode_given(ids[part], files[part], recipe.features.image, recipe.data.max_megapixels)
            rows = None if table is None else table.slice(start, CHUNK)
            known = self.inputs.targets, pictures, recipe.features, rows, self.inputs.vocabularies
            yield given_features(ids[part], *known)

    def _table(self, features: FeatureSet) -> pa.Table:
        answers = predict(self.recipe, self.trained, features, np.arange(len(features)))
        columns = self.evaluation.answer_columns(answers)
        return pa.table({"id": pa.array(features.ids, pa.string()), **columns})
