"""Predictions beside the labels that came for them later: a join of whole columns, on request id and sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from totalml.labels.columns import PREFIX, keys
from totalml.labels.label import REQUEST_ID
from totalml.release.log_rows import ANSWER, columns_after

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth


LABELLED = "labelled"


def joined(predictions: pa.Table, labels: pa.Table, truth: Truth) -> pa.Table:
    """The predictions that a label is known of, in their order, with more columns.

    A label of one sample counts before one of all samples of its request, whichever came later.

    Args:
        predictions: as the log has them: request_id, id, `answer:<name>`, and any others.
        labels: as `Labels.read` gives them, one for each sample at most.
    Returns: besides, `labelled`, when the label came; its `label:<column>`; and what the truth says of the answer: of a
        class `wrong`, another one is right; of several labels `wrong`, the sets differ; of numbers `error:<target>`,
        the answer minus the label, and `absolute_error:<target>`. Null where the answer or that label is missing.
    """
    known = keys(labels)
    place = pc.coalesce(
        pc.index_in(keys(predictions), value_set=known),
        pc.index_in(predictions[REQUEST_ID], value_set=known),
    )
    found, rows = predictions.filter(place.is_valid()), place.drop_null()
    said = labels.select([name for name in labels.column_names if name.startswith(PREFIX)]).take(rows)
    answers = columns_after(ANSWER, found)
    judged = truth.judge(answers, columns_after(PREFIX, said))
    found = found.append_column(LABELLED, labels["time"].take(rows))
    for name, column in [*zip(said.column_names, said.columns, strict=True), *judged.items()]:
        found = found.append_column(name, column)
    return found
