"""What the prediction log and labels say of a challenger beside what answers; read on as they grow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.deployment.canary import ERRORS, FAILURES, SLOW, Ends, beyond_usual
from totalml.deployment.shadow import Pairs
from totalml.deployment.stages import CANARY, LIVE, SHADOW
from totalml.evaluation.agreement import agreement, score_changes
from totalml.labels import Labels, joined, truth_of
from totalml.labels.join import LABELLED
from totalml.prediction_log import LogReader
from totalml.prediction_log.columns import COLUMNS, IN_ORDER, sample_keys, typed
from totalml.release.log_rows import ANSWER, columns_after

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.deployment.deployments import Challenger
    from totalml.release.signature import Signature
    from totalml.store import Store

FACTS = tuple(name for name in COLUMNS if name != "input")
MOST = 300_000  # rows that are judged, of both; they are held in the memory of a service
SETTLES = timedelta(seconds=10)  # after which a request that came has an answer in the log, if it gets one
ABSOLUTE, WRONG = "absolute_error:", "wrong"


class Evidence:
    """Of one challenger in one stage.

    Args: signature: of what answers.
    """

    def __init__(self, store: Store, model: str, challenger: Challenger, signature: Signature) -> None:
        self.challenger = challenger
        self._truth = truth_of(signature)
        self._labels = Labels(store, model, self._truth)
        self._columns = [*FACTS, *(f"{ANSWER}{name}" for name in signature.answers)]
        self._log = LogReader(store, model, datetime.fromisoformat(challenger.since))
        self._rows = typed(pa.table({name: pa.nulls(0) for name in self._columns}))

    def look(self) -> None:
        """Read what is new.

        Raises: StoreError: the store cannot be read.
        """
        if len(self._rows) < MOST:
            new = self._of_stage(typed(self._log.new(self._columns)))
            rows = pa.concat_tables([self._rows, new], promote_options="permissive")
            self._rows = rows if len(rows) <= MOST else rows.take(pc.sort_indices(rows["time"])[:MOST])
        self._labels.new()

    def ends(self) -> dict[str, Ends]:
        """How requests ended, by figure; of a canary."""
        rows = _complete(self._all())
        requests = rows.filter(pc.equal(rows["sample"], 0))
        canary, answered = _is(requests, CANARY), np.asarray(requests["error"].is_null())
        seconds = np.asarray(requests["seconds"].cast(pa.float64()))
        return {
            FAILURES: Ends(canary, ~answered),
            SLOW: beyond_usual(canary[answered], seconds[answered]),
            ERRORS: self._errors(rows),
        }

    def _errors(self, rows: pa.Table) -> Ends:
        """In the order in which labels came, so that one that comes later changes nothing of what was seen before."""
        labelled = self._labelled(rows)
        labelled = labelled.take(pc.sort_indices(labelled[LABELLED]))
        values = _badness(labelled)
        known = ~np.isnan(values)
        labelled = labelled.filter(pa.array(known))
        bad = _by_request(labelled, values[known])
        canary = _by_request(labelled, _is(labelled, CANARY).astype(np.float64)) > 0
        return Ends(canary, bad) if WRONG in labelled.column_names else beyond_usual(canary, bad)

    def pairs(self) -> Pairs:
        """What both said of the same samples; of a shadow."""
        rows = self._all()
        is_shadow = pa.array(_is(rows, SHADOW))
        ours, theirs = _matched(rows.filter(is_shadow), rows.filter(pc.invert(is_shadow)))
        failed, other_failed = (np.asarray(each["error"].is_valid()) for each in (ours, theirs))
        both = pa.array(~failed & ~other_failed)
        said, other_said = (columns_after(ANSWER, each.filter(both)) for each in (ours, theirs))
        agree, changes = agreement(said, other_said), score_changes(said, other_said)
        comparable = (
            ~np.isnan(np.stack(list(changes.values()))).any(axis=0) if changes else np.ones(len(agree), np.bool_)
        )
        labelled, other_labelled = _matched(self._labelled(ours), self._labelled(theirs))
        further = np.sign(_badness(labelled, other_labelled) - _badness(other_labelled))
        answered, known = ours.filter(both), ~np.isnan(further)
        return Pairs(
            agree=_by_request(answered.filter(pa.array(comparable)), agree[comparable]),
            changes={name: _by_request(answered, values) for name, values in changes.items()},
            failed=_by_request(ours, failed.astype(np.int8) - other_failed.astype(np.int8)),
            errors=_by_request(labelled.filter(pa.array(known)), further[known]),
        )

    def _of_stage(self, rows: pa.Table) -> pa.Table:
        """Those of both releases, as far as chance chose between them or both scored."""
        ours = pc.and_(pc.equal(rows["release"], self.challenger.release), pc.equal(rows["arm"], self.challenger.stage))
        theirs = pc.and_(pc.equal(rows["release"], self.challenger.against), pc.equal(rows["arm"], LIVE))
        kept = pc.or_(ours, theirs)
        if self.challenger.stage == CANARY:
            kept = pc.and_(kept, pc.equal(rows["share"], self.challenger.share))
        return rows.filter(kept)

    def _all(self) -> pa.Table:
        """In the order in which they came; a request that was sent again under its id counts once."""
        rows = self._rows.sort_by([*IN_ORDER])
        arms = pc.binary_join_element_wise(sample_keys(rows), pc.equal(rows["arm"], SHADOW).cast(pa.string()), "\0")
        _, first = np.unique(np.asarray(arms.combine_chunks().dictionary_encode().indices), return_index=True)
        return rows.take(pa.array(np.sort(first)))

    def _labelled(self, rows: pa.Table) -> pa.Table:
        return joined(rows, self._labels.read(), self._truth)


def _complete(rows: pa.Table) -> pa.Table:
    """Requests of which all that came with them are in the log, too.

    Of requests that were given by chance those of one arm may stand in the log before those of the other one; and what
    one of them is slow with is not there at all yet. Such a part of the log would tell for one arm. So what came within
    the last seconds of a replica is left out, in the order in which requests came.
    """
    last = rows.filter(pc.equal(rows["arm"], LIVE)).group_by("replica").aggregate([("time", "max")])
    lasting = pc.cast(pc.multiply(rows["seconds"].cast(pa.float64()), 1e6), pa.int64(), safe=False)
    came = pc.subtract(rows["time"], lasting.cast(pa.duration("us")))
    seen = last["time_max"].take(pc.index_in(rows["replica"], value_set=last["replica"].combine_chunks()))
    settled = pc.less_equal(came, pc.subtract(seen, pa.scalar(SETTLES, pa.duration("us"))))
    kept = pc.fill_null(settled, False)
    order = pc.sort_indices(came.filter(kept))
    return rows.filter(kept).take(order)


def _is(rows: pa.Table, arm: str) -> NDArray[np.bool_]:
    return np.asarray(pc.equal(rows["arm"], arm), np.bool_)


def _by_request(rows: pa.Table, values: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of the samples of each request, in the order of their first ones; NaN if one is.

    Samples that came together were given to an arm together, and are often alike: many of them tell no more than one.
    """
    codes = np.asarray(rows["request_id"].combine_chunks().dictionary_encode().indices)
    means: NDArray[np.float64] = np.bincount(codes, values.astype(np.float64)) / np.bincount(codes)
    return means


def _matched(ours: pa.Table, theirs: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The samples that both have, in one order."""
    places = pc.index_in(sample_keys(ours), value_set=sample_keys(theirs).combine_chunks())
    return ours.filter(places.is_valid()), theirs.take(places.drop_null())


def _badness(labelled: pa.Table, scale: pa.Table | None = None) -> NDArray[np.float64]:
    """How wrong each answer is: 0 or 1, or its absolute error; of several targets the mean in their middle errors.

    Args: scale: whose middle errors; None: their own.
    Returns: (N,) NaN where nothing is known of an answer.
    """
    if WRONG in labelled.column_names:
        return np.asarray(labelled[WRONG].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    names = [name for name in labelled.column_names if name.startswith(ABSOLUTE)]
    far = np.stack([np.asarray(labelled[name], np.float64) / _middle((scale or labelled)[name]) for name in names])
    with np.errstate(invalid="ignore"):
        badness: NDArray[np.float64] = np.nansum(far, axis=0) / (~np.isnan(far)).sum(axis=0)
    return badness


def _middle(errors: pa.ChunkedArray) -> float:
    """1 where none is known, or most are 0."""
    known = np.asarray(errors.drop_null(), np.float64)
    return float(np.median(known)) if len(known) and np.median(known) > 0 else 1.0
