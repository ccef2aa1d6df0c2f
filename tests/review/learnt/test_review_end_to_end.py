"""From traffic to a better release: a new glass, a monitor's alert, sixty verdicts, and a run that learns of them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.projects import new_project
from tests.review.learnt.rendered import LABELS, SIZE, Pint, pints, save
from tests.serving.serving import serving
from tests.warm import python
from totalml.cli import main
from totalml.compose import compose_recipe
from totalml.data.snapshot import load_snapshot
from totalml.monitoring import watch
from totalml.monitoring.verdict import ALARMED
from totalml.recipe.review import ReviewRecipe
from totalml.release.named import find_release
from totalml.release.scorer import Scorer
from totalml.review.desk import Desk
from totalml.review.item import ALERT
from totalml.review.learnt.judged_samples import NEW
from totalml.review.reviews import Reviews
from totalml.runner import run
from totalml.store import Store

MODEL, OVERLAP = "pints", 2
RECIPE = f"""\
defaults:
  - override /data: image_folder
  - override /evaluation: quick
  - override /quality: none
  - override /tracking: none

name: {MODEL}
data:
  source:
    root: photos
  split: {{train: 0.65, validation: 0.05, test: 0.3}}
features:
  image:
    size: {SIZE}
training:
  epochs: 20
runtime:
  progress: none
registry:
  alias: candidate
gates:
  - metric: accuracy
    at_least: 0.75
monitoring:
  window: {{most: 100}}
  alerts:
    reactions: {{data quality: [queue_labels], new covariate: [queue_labels], unknown: [queue_labels]}}
review:
  overlap: {OVERLAP}
"""
BARTENDERS = {"ann": 52, "bob": 4, "cara": 4}  # who judge so many each: what bob and cara do, ann does, too
VERDICTS, ERRS = 60, 0.05
CHANCE = 0.06  # of a difference on 300 pints: two deviations where a third of the answers are others

# Function at which close-loop is killed -> at which call: no run yet; in its third epoch; no comparison and no release;
# a release without an alias.
KILLED_AT = {
    "totalml.runner run_on": 1,
    "totalml.training.keep tell_listener": 3,
    "totalml.review.learnt.close_loop gain_of": 1,
    "totalml.release.register promotion_of": 1,
}
KILLS_ITSELF = """
import os, signal, sys
from importlib import import_module
(module, name), left = sys.argv[1].split(), int(sys.argv[2])
place = import_module(module)
usual = getattr(place, name)
def counted(*given, **named):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*given, **named)
setattr(place, name, counted)
from totalml.cli import main
sys.exit(main(sys.argv[3:]))
"""

Verb = Callable[..., str]
Asked = Sequence[tuple[bytes, str]]  # pictures, and what is true of them


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = new_project(tmp_path, {MODEL: RECIPE})
    save(pints(800, seed=0), made / "photos")
    monkeypatch.chdir(made)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(watch, "SETTLES", timedelta())  # services were stopped, so the log is whole
    return made


@pytest.fixture
def totalml(project: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    def totalml(*words: str, expect: int = 0) -> str:
        capsys.readouterr()
        assert main(words) == expect
        return capsys.readouterr().out

    return totalml


class Pub:
    """Where photos are sent of what was served, and bartenders judge them. Args: folder: of the store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.truth = folder, dict[str, str]()

    def serves(self, some: Sequence[Pint]) -> None:
        with serving(self.folder, find_release(f"{MODEL}@production", Store(self.folder)), logs=True, pictures=1) as on:
            for each in some:
                request = f"order-{len(self.truth)}"
                assert on.ask(each.picture, headers={"X-Request-ID": request}).status_code == 200
                self.truth[request] = each.truth

    def judges(self) -> dict[str, list[str]]:
        """Returns: request -> what was said of it."""
        desk = Desk(Reviews(Store(self.folder), MODEL), ReviewRecipe(overlap=OVERLAP))
        random, said = np.random.default_rng(5), dict[str, list[str]]()
        for who, count in BARTENDERS.items():
            for number in range(count):
                (item,) = desk.next(who)
                assert item.queue == ALERT
                label = self.truth[str(item.request_id)]
                if random.random() < ERRS:
                    label = LABELS[label == LABELS[0]]
                desk.give(who, f"{who}-{number}", item, {"label": {"label": label}})
                said.setdefault(str(item.request_id), []).append(label)
        return said


@pytest.mark.slow
def test_sixty_verdicts_about_a_new_glass_make_a_release_that_knows_it(project, totalml):
    run(compose_recipe(project, [f"+recipe={MODEL}"]))
    totalml("promote", MODEL)
    store, pub = Store(project / ".totalml"), Pub(project / ".totalml")
    usual, unseen = ([(each.picture, each.truth) for each in some] for some in (pints(300, 1), pints(300, 2, True)))
    before = {"usual": accuracy("production", store, usual), "unseen": accuracy("production", store, unseen)}
    assert before["unseen"] < 0.7 < before["usual"]

    pub.serves(pints(100, seed=4))
    assert "100 rows, 0 labels: none" in totalml("monitor", MODEL)
    pub.serves(pints(100, seed=3, frosted=True))
    assert "labels would tell" in totalml("monitor", MODEL, expect=ALARMED)
    assert "0 of 60" in totalml("alerts", "list", MODEL)

    totalml("review", "queue", MODEL, "--from", "alerts")
    said = pub.judges()
    assert sum(map(len, said.values())) == VERDICTS
    agreed = [labels[0] for labels in said.values() if len({*labels}) == 1]
    answered = f"{len(agreed)} of 60: " + ", ".join(f"{n} {label}" for label, n in Counter(agreed).most_common())
    assert f"{len(agreed)} labels" in totalml("review", "label", MODEL)
    assert answered in totalml("alerts", "list", MODEL)
    totalml("monitor", "report", MODEL, "--out=page.html")
    assert answered in (project / "page.html").read_text()

    made = totalml("snapshot", "from-review", MODEL)
    snapshot = made.split()[1]
    for point, calls in KILLED_AT.items():
        assert kill_close_loop(project, point, calls) == -signal.SIGKILL, point
    told = totalml("review", "close-loop", MODEL)
    assert told.startswith(f"snapshot {snapshot}\n")
    assert f"it rests on {VERDICTS} verdicts: 0 labels changed, {len(agreed)} samples new" in told
    gain = accuracy("candidate", store, unseen) - before["unseen"]
    held = of_test_split(project, snapshot, store)
    whole, of_review = told.splitlines()[-2:]
    claimed(whole, held, store)
    low, high = claimed(of_review, {id_: each for id_, each in held.items() if id_.startswith(NEW)}, store)
    assert low - CHANCE <= gain <= high + CHANCE

    totalml("promote", f"{MODEL}@candidate")
    assert accuracy("production", store, unseen) >= before["unseen"] + 0.2
    assert accuracy("production", store, usual) >= before["usual"] - 0.05


def kill_close_loop(project: Path, point: str, calls: int) -> int:
    """The command in a process that kills itself. Returns: its exit code."""
    return subprocess.run(
        [*python(), "-c", KILLS_ITSELF, point, str(calls), "review", "close-loop", MODEL],
        cwd=project,
        check=False,
        capture_output=True,
    ).returncode


def of_test_split(project: Path, snapshot: str, store: Store) -> dict[str, tuple[bytes, str]]:
    """Of the run on a snapshot: id -> picture and label."""
    (attempt,) = (project / "runs" / MODEL).glob(f"*-{snapshot.split(':')[1][:8]}/1")
    tested = {*pq.read_table(attempt / "predictions.parquet")["id"].to_pylist()}
    rows = load_snapshot(snapshot, store).samples.select(["id", "blob", "label"]).to_pylist()
    return {row["id"]: (store.read(row["blob"]), row["label"]) for row in rows if row["id"] in tested}


def claimed(line: str, held: dict[str, tuple[bytes, str]], store: Store) -> tuple[float, float]:
    """The interval that a line of close-loop tells, which is that of resampling what both releases say of samples."""
    told = re.search(r"([-+\d.]+) to ([-+\d.]+)", line.replace("\N{MINUS SIGN}", "-"))
    low, high = (float(bound) / 100 for bound in told.groups()) if told else (0.0, 0.0)
    assert f" {len(held)} test samples" in line
    was, now = (right(alias, store, [*held.values()]) for alias in ("production", "candidate"))
    drawn = np.random.default_rng(1).integers(0, len(held), (20_000, len(held)))
    bounds = np.quantile((now.astype(float) - was)[drawn].mean(axis=1), [0.025, 0.975])
    assert [low, high] == pytest.approx(bounds, abs=1.05 / len(held))  # one sample more or less
    assert line.strip().removeprefix("of them from the review: ").startswith("better") == (bounds[0] > 0)
    return low, high


def right(alias: str, store: Store, asked: Asked) -> np.ndarray:
    scorer = Scorer.load(find_release(f"{MODEL}@{alias}", store))
    answers = scorer.score(scorer.inputs([str(number) for number in range(len(asked))], [each for each, _ in asked]))
    return np.asarray(answers.answers["predicted"]) == np.array([truth for _, truth in asked])


def accuracy(alias: str, store: Store, asked: Asked) -> float:
    return float(right(alias, store, asked).mean())
