"""Samples whose label is likely to be wrong, for people to look at again, the most doubtful first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from totalml.kinds import SampleCheck
from totalml.quality.report import Finding
from totalml.recipe import Share

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures

SHOWN = 10


class DoubtfulLabels(SampleCheck):
    """Doubts labels that samples of other groups contradict.

    They are judged by the picture in grey at 16 x 16 px and the numbers of the table, without pictures by the numbers
    alone. `doubtful_labels` with the embeddings of a trained network finds twice as many wrong ones. Classes only.
    """

    # That it is another label, if all were equally frequent; of labels of which a tenth is wrong, few pass 0.9.
    min_doubt: Annotated[float, Field(gt=0, lt=1)] = 0.9
    max_share: Share = 0.02  # of the labels that may be doubted so much; of clean pints it was 0.013 at most
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures | None) -> Iterator[Finding]:
        import pyarrow.compute as pc

        from totalml.quality.appearance import appearance
        from totalml.values.shown import some_of

        judged = doubtful_labels(snapshot.samples, appearance(snapshot, pictures))
        worst = judged.filter(pc.greater_equal(judged["doubt"], self.min_doubt))
        if len(worst) > self.max_share * len(judged):
            shown = worst.slice(0, SHOWN).to_pylist()
            words = ", ".join(f"{row['id']!r} is {row['label']!r} and looks {row['suggested']!r}" for row in shown)
            message = (
                f"{some_of(len(worst), len(judged), 'labels', 'are doubtful')}: samples of other groups that look "
                f"alike have another, with a probability of {self.min_doubt:g} or more. The worst: {words}. Have them "
                "labelled again."
            )
            yield Finding("DoubtfulLabels", self.level, message, tuple(row["id"] for row in shown))


def doubtful_labels(samples: pa.Table, known: NDArray[np.floating[Any]]) -> pa.Table:
    """Every label that can be judged, the most doubtful first.

    Args:
        samples: N rows with id, label and group, such as those of a snapshot; without a label a row is left out.
        known: (N, D) what each sample is judged by, best its embedding by a network that was trained on these labels,
            such as `Scorer.score_rows` gives; a row that holds NaN is left out.
    Returns: id, label, suggested (the likeliest label) and doubt (the probability in [0, 1] that it is another, if all
        labels were equally frequent); no rows where nothing can be said, as of a task without classes.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from totalml.quality.columns import codes
    from totalml.quality.guesses import scale
    from totalml.quality.label_noise import label_doubt

    whole = np.isfinite(known).all(axis=1)
    samples, scaled = samples.filter(pa.array(whole)), known[whole].astype(np.float32)
    scale(scaled)
    # By rank, so that the order of the rows does not decide which groups are learnt together.
    group = pc.rank(samples["group"], tiebreaker="dense").to_numpy().astype(np.int64)
    doubt, suggested = label_doubt(scaled, codes(samples["label"]), group)
    rows = np.flatnonzero(np.isfinite(doubt))
    table = pa.table(
        {
            "id": samples["id"].take(rows),
            "label": samples["label"].take(rows),
            "suggested": pc.unique(samples["label"].drop_null()).take(pa.array(suggested[rows])),
            "doubt": doubt[rows],
        }
    )
    return table.sort_by([("doubt", "descending"), ("id", "ascending")])
