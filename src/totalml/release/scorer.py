"""From what a caller has to an answer: decode, score, tell strangers. The one path of service, batch and parity.

Needs no torch and no code of a recipe where the release holds an ONNX model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from totalml.errors import DataError, StoreError
from totalml.evaluation.out_of_distribution.detector import Detector
from totalml.evaluation.record import Evaluation
from totalml.features.given import decode_given
from totalml.features.shared.frozen import Maker, with_made
from totalml.features.table import read_columns
from totalml.recipe import TableFeatures
from totalml.release.attribution import Region
from totalml.release.bundle import METRICS, MODEL, REGION, STRANGERS, Bundle
from totalml.release.onnx_model import CATEGORICAL, EMBEDDING, IMAGE, MAPS, NUMERIC, SCORES, OnnxModel
from totalml.release.signature import Signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features.feature_set import FeatureSet
    from totalml.features.given import Given

CHUNK = 256  # samples decoded and scored at once; a bound for memory

Inputs = dict[str, Any]  # `image` (N, H, W, C) uint8, `numeric` (N, Dn) float32, `categorical` (N, Dc) int64


class Model(Protocol):
    """What scores: ONNX, or torch where a model cannot be exported."""

    def run(self, inputs: Inputs, outputs: Sequence[str]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Scored:
    """Args:
    answers: a row for each sample, with the columns of the signature's `answers`.
    scores: (N, A) float32, what the model says before thresholds.
    embeddings: (N, D) float32; None: the release has none.
    strangeness: (N,) distance to what the model learnt from; None: it is not known.
    strange: (N,) whether that is beyond the threshold.
    maps: (N, A, h, w) what it looked at; None unless asked for and there.
    """

    answers: pa.Table
    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None
    strangeness: NDArray[np.float64] | None
    strange: NDArray[np.bool_] | None
    maps: NDArray[np.float32] | None

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """`answers`, a row each; made once for all requests of a batch."""
        return self.answers.to_pylist()


class Scorer:
    """Any number of threads may use one at once.

    Args:
        outputs: what the model gives: `scores`, `embedding`, `maps`.
        makers: of the signature's shared features.
        region: where it ought to look; None: nobody knows.
    """

    def __init__(
        self,
        signature: Signature,
        model: Model,
        outputs: Sequence[str],
        evaluation: Evaluation,
        stranger: Detector | None,
        makers: Sequence[Maker] = (),
        region: Region | None = None,
    ) -> None:
        self.signature, self.outputs = signature, tuple(outputs)
        self.image, self._table = signature.image_features(), None
        if signature.columns:
            self._table = TableFeatures(numeric=signature.numeric, categorical=tuple(signature.categorical))
        self._vocabularies = tuple(signature.categorical.values())
        self._model, self._evaluation, self._stranger, self.makers = model, evaluation, stranger, makers
        self._region = region if self.explains else None

    @classmethod
    def load(cls, bundle: Bundle, threads: int = 1) -> Scorer:
        """Args: threads: that a batch is computed with.

        Raises: StoreError: a file is gone or changed. ModelError: the model cannot be loaded.
        """
        try:
            signature = Signature.read(bundle)
            evaluation = Evaluation.of(bundle.read_json(METRICS), pa.table({}))
            region = Region.from_json(bundle.read_json(REGION)) if REGION in bundle else None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{bundle.folder} was released by another version of totalml: {error}") from error
        stranger = Detector.load(bundle.file(STRANGERS).parent) if STRANGERS in bundle else None
        makers = [Maker(each, bundle.file(each.file) if each.file else None) for each in signature.shared]
        if MODEL in bundle:
            onnx = OnnxModel.load(bundle.read(MODEL), threads)
            return cls(signature, onnx, tuple(onnx.outputs), evaluation, stranger, makers, region)
        from totalml.release.torch_model import TorchModel

        return cls(signature, TorchModel(bundle), (SCORES,), evaluation, None, makers)

    @property
    def explains(self) -> bool:
        """Whether it can say what it looked at."""
        return MAPS in self.outputs

    @property
    def attributions(self) -> tuple[str, ...]:
        """Names of what `attribution` gives; none where it cannot say what it looked at, or where it ought to look."""
        return self._region.names if self._region else ()

    @property
    def knows_strangers(self) -> bool:
        """Whether it can say how far a sample is from those of training."""
        return self._stranger is not None and EMBEDDING in self.outputs

    def sees_as(self, other: Scorer) -> bool:
        """Whether both decode a picture to the same pixels, and refuse the same."""
        return self.image == other.image and self.signature.max_megapixels == other.signature.max_megapixels

    def inputs(
        self,
        ids: Sequence[str],
        pictures: Sequence[Given] | None = None,
        rows: pa.Table | None = None,
        decoded: NDArray[np.uint8] | None = None,
    ) -> Inputs:
        """What the model sees of samples.

        Args:
            ids: to name what cannot be used.
            pictures: files, their bytes, or what Pillow holds.
            rows: with the columns of the signature; others are ignored. Those of a shared feature may be left out, and
                are then made of the columns that it needs.
            decoded: (N, H, W, C) the pictures as one that `sees_as` this one saw them; None: nobody did.
        Raises:
            DataError: names every picture that cannot be used; or not what the model sees was given.
            FeatureError: names every column that is missing or does not fit.
        """
        seen: Inputs = {}
        if self._wants("pictures", self.image, pictures) and self.image and pictures is not None:
            most = self.signature.max_megapixels
            seen[IMAGE] = decode_given(ids, pictures, self.image, most).pixels if decoded is None else decoded
        if self._table is None and self.signature.context:
            rows = None  # they are for the log alone
        if self._wants("rows", self._table, rows):
            seen |= self.columns(rows)
        return seen

    def columns(self, rows: pa.Table) -> Inputs:
        """Raises: FeatureError: names every column that is missing or does not fit."""
        if self._table is None:
            return {}
        read = read_columns(self._table, with_made(rows, self.makers), self._vocabularies)
        return {NUMERIC: read.numeric, CATEGORICAL: read.categorical}

    def score_rows(self, features: FeatureSet, rows: NDArray[np.int64]) -> Scored:
        """Samples of a snapshot, so many at once as may be held, however many there are.

        Raises: ModelError: the model cannot run.
        """
        starts = range(0, len(rows), CHUNK) or [0]
        return self._scored(self._inputs_of(features, rows[start : start + CHUNK]) for start in starts)

    def _inputs_of(self, features: FeatureSet, rows: NDArray[np.int64]) -> Inputs:
        seen: Inputs = {NUMERIC: features.numeric[rows], CATEGORICAL: features.categorical[rows]} if self._table else {}
        return {IMAGE: features.images.gather(rows), **seen} if self.image and features.images else seen

    def score(self, inputs: Inputs, explain: bool = False) -> Scored:
        """Raises: ModelError: the model cannot run."""
        return self._scored(_chunks(inputs), explain)

    def attribution(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """What it looks at in pictures, `attributions` -> (N,), NaN where nothing speaks for its answer.

        Raises: ModelError: the model cannot run.
        """
        return self._looked_at(_chunks(inputs))

    def attribution_rows(self, features: FeatureSet, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """The same of samples of a snapshot. Raises: ModelError: as `attribution`."""
        starts = range(0, len(rows), CHUNK) or [0]
        return self._looked_at(self._inputs_of(features, rows[start : start + CHUNK]) for start in starts)

    def _looked_at(self, chunks: Iterable[Inputs]) -> dict[str, NDArray[np.float32]]:
        """The maps of no more than one chunk are held: of many classes they are large."""
        if (region := self._region) is None:
            return {}
        said = (self._model.run(some, [SCORES, MAPS]) for some in chunks)
        found = [region.looked_at(each[SCORES], each[MAPS]) for each in said]
        return {name: np.concatenate([each[name] for each in found]) for name in region.names}

    def _scored(self, chunks: Iterable[Inputs], explain: bool = False) -> Scored:
        wanted = [name for name in (SCORES, EMBEDDING, *([MAPS] if explain else [])) if name in self.outputs]
        parts = [self._model.run(some, wanted) for some in chunks]
        said = (
            parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in wanted}
        )
        embeddings, stranger = said.get(EMBEDDING), self._stranger
        strangeness = stranger.score(embeddings) if stranger and embeddings is not None else None
        return Scored(
            answers=pa.table(self._evaluation.answer_columns(said[SCORES])),
            scores=said[SCORES],
            embeddings=embeddings,
            strangeness=strangeness,
            strange=stranger.flagged(strangeness) if stranger and strangeness is not None else None,
            maps=said.get(MAPS),
        )

    def _wants(self, name: str, seen: Any, given: Any) -> bool:
        """Raises: DataError: the model sees what was not given, or the other way round."""
        if seen and given is None:
            columns = f" with the columns {', '.join(self.signature.columns)}" if name == "rows" else ""
            raise DataError(f"the model sees {name}; give them{columns}")
        if not seen and given is not None:
            raise DataError(f"the model sees no {name}; leave them out")
        return bool(seen)


def _chunks(inputs: Inputs) -> Iterator[Inputs]:
    """At least one, which may be empty."""
    count = len(next(iter(inputs.values())))
    if count <= CHUNK:
        yield inputs
        return
    for start in range(0, count, CHUNK):
        yield {name: values[start : start + CHUNK] for name, values in inputs.items()}
