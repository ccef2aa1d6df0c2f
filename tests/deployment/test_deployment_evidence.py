"""What a judge reads of a log that is being written tells for no arm without cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.serving.serving import PICTURE
from totalml.data.snapshot import parquet_bytes
from totalml.deployment.canary import FAILURES, judge_canary
from totalml.deployment.deployment import MarginsRecipe
from totalml.deployment.deployments import Challenger
from totalml.deployment.evidence import Evidence
from totalml.deployment.shadow import judge_shadow
from totalml.deployment.stages import CANARY, LIVE, SHADOW
from totalml.labels import read_labels, truth_of
from totalml.labels.columns import table_of
from totalml.labels.labels import Segments
from totalml.recipe.gates import GateRecipe
from totalml.segments.segment import Segment
from totalml.store import Store

OLD, NEW = "blake3:" + "0" * 64, "blake3:" + "1" * 64
START = datetime(2026, 11, 28, 12, tzinfo=UTC)
SHARE, REPLICAS = 0.2, ("aaaaaaaa", "bbbbbbbb")
MARGINS = MarginsRecipe().model_dump()
CHALLENGER = Challenger(NEW, OLD, CANARY, SHARE, START.isoformat())


def requests(rng: np.random.Generator, seconds: int, rate: int, slower: float, failing: float) -> dict[str, np.ndarray]:
    """Those of a service: when they came and were answered, by which arm and replica; latencies with a heavy tail."""
    count = seconds * rate
    canary = rng.random(count) < SHARE
    lasting = np.minimum(rng.lognormal(-5, 1.5, count), 8.0) * np.where(canary, slower, 1.0)
    came = np.sort(rng.uniform(0, seconds, count))
    failed = rng.random(count) < np.where(canary, failing, 0.02)
    replica = rng.integers(0, 2, count)
    return {"canary": canary, "seconds": lasting, "time": came + lasting, "failed": failed, "replica": replica}


def write(store: Store, asked: dict[str, np.ndarray], flush: int, replica: int, arms: tuple[bool, ...]) -> None:
    """What a replica writes at the end of a second: a file for each release, what answers all last."""
    for canary in arms:
        of_file = (asked["replica"] == replica) & (asked["canary"] == canary) & (asked["time"] // 1 == flush)
        rows = np.flatnonzero(of_file)[np.argsort(asked["time"][of_file])]
        if not len(rows):
            continue
        release, times = NEW if canary else OLD, [START + timedelta(seconds=float(s)) for s in asked["time"][rows]]
        table = pa.table(
            {
                "request_id": [f"request {row}" for row in rows],
                "id": ["picture"] * len(rows),
                "sample": pa.array([0] * len(rows), pa.int32()),
                "time": pa.array(times, pa.timestamp("us", "UTC")),
                "release": [release] * len(rows),
                "arm": [CANARY if canary else LIVE] * len(rows),
                "share": [SHARE] * len(rows),
                "error": pa.array(["no answer" if bad else None for bad in asked["failed"][rows]], pa.string()),
                "replica": [REPLICAS[replica]] * len(rows),
                "seconds": pa.array(asked["seconds"][rows].astype(np.float32)),
            }
        )
        segment = Segment.new(times[0], REPLICAS[replica], 2 * flush + (not canary), release)
        store.save_file(parquet_bytes(table), *segment.path("pints"))


def stopped(folder: Path, seed: int, slower: float = 1.0, failing: float = 0.02) -> bool:
    """Whether a canary is, by a judge that looks again and again, also between two files of one second."""
    rng, store = np.random.default_rng(seed), Store(folder)
    evidence = Evidence(store, "pints", CHALLENGER, PICTURE)
    asked = requests(rng, 25, 40, slower, failing)
    for flush in range(30):
        replicas = rng.permutation(2).tolist()
        write(store, asked, flush, replicas[0], (True, False))
        write(store, asked, flush, replicas[1], (True,))
        if flush % 7 == 6:
            evidence.look()
            if judge_canary(evidence.ends(), SHARE, MARGINS).outcome == "failed":
                return True
        write(store, asked, flush, replicas[1], (False,))
    return False


@pytest.mark.slow
def test_equal_canaries_are_seldom_stopped_while_their_log_is_written(tmp_path):
    assert sum(stopped(tmp_path / str(seed), seed) for seed in range(10)) <= 1


def test_a_canary_that_fails_or_is_slow_is_stopped_while_its_log_is_written(tmp_path):
    assert stopped(tmp_path / "fails", 1, failing=0.4)
    assert stopped(tmp_path / "slow", 2, slower=8.0)


def test_what_a_canary_is_still_at_is_not_taken_for_missing(tmp_path):
    """None of its answers is there yet, because each takes long; those of the other release are."""
    rng, store = np.random.default_rng(3), Store(tmp_path)
    asked = requests(rng, 9, 40, 1.0, 0.02)
    asked["time"] = np.where(asked["canary"], 30.0, asked["time"])
    for flush in range(10):
        for replica in range(2):
            write(store, asked, flush, replica, (True, False))
    evidence = Evidence(store, "pints", CHALLENGER, PICTURE)
    evidence.look()
    assert len(evidence.ends()[FAILURES].bad) == 0


def test_a_request_that_is_sent_again_counts_once_and_what_chance_did_not_choose_never(tmp_path):
    rng, store = np.random.default_rng(4), Store(tmp_path)
    asked = requests(rng, 30, 10, 1.0, 0.0)
    for flush in range(40):
        for replica in range(2):
            write(store, asked, flush, replica, (True, False))
    evidence = Evidence(store, "pints", CHALLENGER, PICTURE)
    evidence.look()
    first = evidence.ends()[FAILURES]
    settled = asked["time"] - asked["seconds"]
    last = [asked["time"][(asked["replica"] == r) & ~asked["canary"]].max() for r in range(2)]
    wanted = settled <= np.array(last)[asked["replica"]] - 10
    assert len(first.bad) == pytest.approx(wanted.sum(), abs=1)
    assert first.canary.sum() == pytest.approx((wanted & asked["canary"]).sum(), abs=1)
    again = {name: values[:50] for name, values in asked.items()} | {"time": asked["time"][:50] + 50}
    for flush in range(45, 90):
        for replica in range(2):
            write(store, again, flush, replica, (True, False))
    evidence.look()
    more = evidence.ends()[FAILURES]
    assert len(more.bad) <= len(asked["canary"])
    other = Evidence(store, "pints", Challenger(NEW, OLD, CANARY, 0.3, START.isoformat()), PICTURE)
    other.look()
    assert len(other.ends()[FAILURES].bad) == 0


def shadowed(store: Store, columns: dict[str, object], arm: str, number: int) -> None:
    """A file of one arm, of requests a second apart."""
    count = len(next(iter(columns.values())))
    release, times = (OLD if arm == LIVE else NEW), [START + timedelta(seconds=row) for row in range(count)]
    facts = {
        "request_id": [f"request {row}" for row in range(count)],
        "id": ["row"] * count,
        "sample": pa.array([0] * count, pa.int32()),
        "time": pa.array(times, pa.timestamp("us", "UTC")),
        "release": [release] * count,
        "arm": [arm] * count,
        "share": [0.0] * count,
        "error": pa.nulls(count, pa.string()),
        "replica": [REPLICAS[0]] * count,
        "seconds": pa.array([0.01] * count, pa.float32()),
    }
    segment = Segment.new(START, REPLICAS[0], number, release)
    store.save_file(parquet_bytes(pa.table(facts | columns)), *segment.path("pints"))


def test_numbers_of_a_shadow_are_held_against_the_interval_and_the_labels(tmp_path):
    numbers = replace(
        PICTURE, task="regression", targets=("head_mm",), answers=dict.fromkeys(("value", "lower", "upper"), "double")
    )
    store = Store(tmp_path)

    def told(values: list[float], wide: float | None) -> dict[str, list[object]]:
        low, high = ([None if wide is None else value + sign * wide for value in values] for sign in (-1, 1))
        bounds = {"answer:lower": pa.array(low, pa.float64()), "answer:upper": pa.array(high, pa.float64())}
        return {"answer:value": values, **bounds}

    theirs, ours = [10.0, 20.0, 30.0, 40.0], [10.5, 20.0, 37.0, 40.0]
    shadowed(store, told(theirs, 2.0), LIVE, 1)
    shadowed(store, told(ours, 9.0), SHADOW, 2)
    truth = truth_of(numbers)
    said = [{"request_id": f"request {row}", "label": float(label)} for row, label in ((0, 10.4), (2, 30), (3, 40))]
    Segments(store, "pints").save(table_of(read_labels(said, truth), truth, "eve"))
    evidence = Evidence(store, "pints", replace(CHALLENGER, stage=SHADOW, share=0.0), numbers)
    evidence.look()
    pairs = evidence.pairs()
    assert pairs.agree.tolist() == [True, True, False, True]
    assert pairs.changes["value"] == pytest.approx([0.125, 0.0, 1.0, 0.0])
    assert sorted(pairs.errors.tolist()) == [-1, 0, 1]  # nearer, as far off, further off
    # Without intervals nothing says whether they agree: it is not known, and not a failure.
    bare = Store(tmp_path / "bare")
    shadowed(bare, told(theirs, None), LIVE, 1)
    shadowed(bare, told(theirs, None), SHADOW, 2)
    evidence = Evidence(bare, "pints", replace(CHALLENGER, stage=SHADOW, share=0.0), numbers)
    evidence.look()
    (figure,) = judge_shadow([GateRecipe(metric="agreement", at_least=0.9)], evidence.pairs()).figures
    assert (figure.outcome, figure.value.note) == ("undecided", "what answers gives no interval to measure by")


def test_samples_that_came_together_count_as_one_request_in_the_order_of_their_labels(tmp_path):
    """As they went to an arm together, each for itself would bet anew on one throw of the dice."""
    store, samples, truth = Store(tmp_path), 4, truth_of(PICTURE)

    def of_requests(requests: list[int], wrong: list[int], share: float) -> dict[str, object]:
        return {
            "request_id": [f"request {request}" for request in requests for _ in range(samples)],
            "id": [f"picture {sample}" for _ in requests for sample in range(samples)],
            "sample": pa.array([sample for _ in requests for sample in range(samples)], pa.int32()),
            "time": pa.array(
                [START + timedelta(seconds=request) for request in requests for _ in range(samples)],
                pa.timestamp("us", "UTC"),
            ),
            "share": [share] * samples * len(requests),
            "answer:predicted": ["dark" if sample < bad else "light" for bad in wrong for sample in range(samples)],
        }

    def labelled(requests: list[int]) -> None:
        said = read_labels([{"request_id": f"request {request}", "label": "light"} for request in requests], truth)
        Segments(store, "pints").save(table_of(said, truth, "eve"))

    shadowed(store, of_requests([0, 2, 4, 40], [0, 4, 1, 0], SHARE), LIVE, 2)
    shadowed(store, of_requests([1, 3], [2, 3], SHARE), CANARY, 1)
    labelled([3, 4])
    labelled([0, 1, 2])
    evidence = Evidence(store, "pints", CHALLENGER, PICTURE)
    evidence.look()
    errors = evidence.ends()["errors"]
    assert errors.canary.tolist() == [True, False, False, True, False]  # 3, 4; then 0, 1, 2
    assert errors.bad == pytest.approx([0.75, 0.25, 0.0, 0.5, 1.0])
    both = Store(tmp_path / "both")
    for arm, number, wrong in ((SHADOW, 1, [0, 2, 4]), (LIVE, 2, [0, 1, 2])):
        shadowed(both, of_requests([0, 1, 2], wrong, 0.0), arm, number)
    only_words = replace(PICTURE, answers={"predicted": "string"})
    evidence = Evidence(both, "pints", replace(CHALLENGER, stage=SHADOW, share=0.0), only_words)
    evidence.look()
    assert evidence.pairs().agree == pytest.approx([1.0, 0.75, 0.5])


def test_of_several_numbers_those_that_are_labelled_count_in_their_middle_errors(tmp_path):
    targets = ("head_mm", "price", "area")
    answers = {f"{part}:{name}": "double" for part in ("value", "lower", "upper") for name in targets}
    numbers = replace(PICTURE, task="regression", targets=targets, answers=answers)
    store, truth = Store(tmp_path), truth_of(numbers)
    ours = {"answer:value:head_mm": [1.0, 2.0, 3.0], "answer:value:price": [10.0, 20.0, 60.0]}
    theirs = {"answer:value:head_mm": [1.0, 3.0, 4.0], "answer:value:price": [20.0, 20.0, 20.0]}
    shadowed(store, theirs, LIVE, 2)
    shadowed(store, ours, SHADOW, 1)
    said = [{"head_mm": 0.0, "price": 0.0}, {"head_mm": 0.0, "price": 0.0}, {"price": 0.0}]
    labels = [{"request_id": f"request {row}", "label": label} for row, label in enumerate(said)]
    Segments(store, "pints").save(table_of(read_labels(labels, truth), truth, "eve"))
    evidence = Evidence(store, "pints", replace(CHALLENGER, stage=SHADOW, share=0.0), numbers)
    evidence.look()
    # In 2 mm and 20 of the price: 0.5 + 0.5 against 0.5 + 1; 1 + 1 against 1.5 + 1; 3 against 1. The area is unknown.
    assert evidence.pairs().errors.tolist() == [-1, -1, 1]


def test_no_more_rows_are_held_than_are_judged_though_they_come_at_once(tmp_path, monkeypatch):
    store = Store(tmp_path)
    for arm, number in ((SHADOW, 1), (LIVE, 2)):
        shadowed(store, {"answer:predicted": ["light"] * 9}, arm, number)
    monkeypatch.setattr("totalml.deployment.evidence.MOST", 8)
    only_words = replace(PICTURE, answers={"predicted": "string"})
    evidence = Evidence(store, "pints", replace(CHALLENGER, stage=SHADOW, share=0.0), only_words)
    evidence.look()
    assert evidence.pairs().agree.tolist() == [1.0] * 4
