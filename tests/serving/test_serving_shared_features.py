"""A service makes shared features itself, and what it made is what training would have made, to the last bit."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from recipes.marketing.source import MarketSource
from tests.serving.serving import running
from tests.warm import run_python
from totalml.data import Snapshot, load_snapshot, split_samples
from totalml.drill import ScaledColumn
from totalml.drill.pools import make_pools
from totalml.errors import DataError
from totalml.features import FeatureSet, build_features
from totalml.monitoring.checked import check
from totalml.prediction.predict import predict
from totalml.prediction_log.deletion import Sought, delete
from totalml.progress import Progress
from totalml.recipe import DrillRecipe, PopulationRecipe, ScenarioRecipe
from totalml.release.bundle import PERIODS, REFERENCE, Bundle
from totalml.release.make import make_release
from totalml.release.parity import parity_of
from totalml.release.scorer import Scorer
from totalml.release.signature import Signature
from totalml.runs.attempt import attempts_of
from totalml.runs.stored import stored_recipe
from totalml.serving.answering import Answering
from totalml.serving.figures import Figures
from totalml.serving.limits import Limits
from totalml.serving.loading import load
from totalml.serving.prediction_log import PredictionLog
from totalml.serving.service import Service
from totalml.store import Store
from totalml.workers import Crew

REPOSITORY = Path(__file__).parents[2]
NAME = "marketing_smoke"
TINY = (
    "data.source.regions=3",
    "data.source.years=2",
    "training.epochs=1",
    "evaluation=quick",
    "runtime.progress=plain",
)
SHARED = "marketing/spend_tv.lag"
SILENT = Progress.silent()


@dataclass(frozen=True)
class Served:
    """A release, what it was made of, and what a service of it answered and logged."""

    folder: Path
    bundle: Bundle
    snapshot: Snapshot
    features: FeatureSet
    asked: list[dict]  # by test sample, in the order of their rows
    rows: np.ndarray  # of the snapshot
    answers: list[dict]
    log: pa.Table
    refused: httpx.Response

    @property
    def signature(self) -> Signature:
        return Scorer.load(self.bundle).signature


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Served:
    folder = tmp_path_factory.mktemp("shared")
    store, runs = Store(folder / "store"), folder / "runs"
    where = [f"runtime.store={store.root}", f"runtime.runs={runs}"]
    done = run_python(["run.py", f"+recipe={NAME}", *TINY, *where], REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    attempt = attempts_of(next((runs / NAME).glob("*-*")))[0][0]
    recipe = stored_recipe(attempt.folder)
    bundle = make_release(recipe, attempt, store, SILENT)
    assert parity_of(bundle, attempt, store).largest < 1e-5
    snapshot = load_snapshot(attempt.facts["data_hash"], store)
    rows = split_samples(recipe.data.split, snapshot).test
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, SILENT, recipe.runtime)
    asked = requests(bundle, snapshot, rows)
    live = Service(Answering(load(bundle, 1), NAME), Limits(), "", PredictionLog(store, NAME), Figures(), None)
    with running(live) as client:
        answers = [client.rows(row).json()["predictions"][0] for row in asked]
        lacking = {name: value for name, value in asked[0].items() if name not in ("spend_tv", "timestamp")}
        refused = client.rows(lacking)
    log = pa.concat_tables([pq.read_table(file) for file in sorted(store.root.glob("predictions/*/*/*.parquet"))])
    return Served(folder, bundle, snapshot, features, asked, rows, answers, log, refused)


def requests(bundle: Bundle, snapshot: Snapshot, rows: np.ndarray) -> list[dict]:
    """What a caller knows: the columns of the source, and when it is; nothing ready-made."""
    known = snapshot.metadata.append_column("timestamp", snapshot.samples["timestamp"]).take(pa.array(rows))
    takes = Scorer.load(bundle).signature.takes
    told = known.select([name for name in takes if name in known.column_names]).to_pylist()
    return [{**row, "timestamp": row["timestamp"].isoformat()} for row in told]


def test_what_was_served_is_what_training_made_to_the_last_bit(served):
    answered = served.log.filter(pc.is_null(served.log["error"])).sort_by("time")
    names = served.signature.shared_columns
    assert len(names) == 5 * 13
    for name in names:
        trained = served.features.numeric[served.rows, served.features.numeric_names.index(name)]
        logged = pc.fill_null(answered[f"metadata:{name}"], np.nan).to_numpy()
        np.testing.assert_array_equal(logged.astype(np.float32), trained)
        assert np.isfinite(trained).all()


def test_requests_of_the_log_give_what_was_served_when_they_are_asked_again(served):
    answered = served.log.filter(pc.is_null(served.log["error"]))
    scorer = Scorer.load(served.bundle)
    asked = [name for name in scorer.signature.takes if name not in scorer.signature.shared_columns]
    again = scorer.columns(answered.select([f"metadata:{name}" for name in asked]).rename_columns(asked))["numeric"]
    for name in scorer.signature.shared_columns:
        logged = pc.fill_null(answered[f"metadata:{name}"], np.nan).to_numpy()
        np.testing.assert_array_equal(again[:, scorer.signature.numeric.index(name)], logged.astype(np.float32))


def test_it_answers_as_with_columns_that_are_given_ready_made(served):
    scorer = Scorer.load(served.bundle)
    scored = scorer.score_rows(served.features, served.rows).answers
    np.testing.assert_allclose([each["value"] for each in served.answers], scored["value"].to_numpy(), rtol=1e-5)


def test_a_drill_scores_what_training_made(served, monkeypatch):
    """Of a population that begins where the test split does, so that its past lies in what the release froze."""
    monkeypatch.setattr("totalml.drill.pools.CHUNK", 8)  # a population is larger than what is scored at once
    ids = served.snapshot.samples["id"].take(pa.array(served.rows)).to_pylist()
    first = min(served.snapshot.samples["timestamp"].take(pa.array(served.rows)).to_pylist()).date().isoformat()
    halved = {"perturb": [ScaledColumn(column="spend_tv", factor=0.5)], "of": "base"}
    base = {"source": MarketSource(regions=3, years=2, since=first)}
    drill = DrillRecipe(
        populations={"base": PopulationRecipe(**base), "halved": PopulationRecipe(**halved)},
        scenarios={"halved": ScenarioRecipe(truth="data quality", population="halved")},
    )
    store, folder = Store(served.folder / "store"), served.folder / "drill"
    attempt = attempts_of(next((served.folder / "runs" / NAME).glob("*-*")))[0][0]
    recipe = stored_recipe(attempt.folder)
    pools = make_pools(recipe, drill, served.bundle, attempt, store, folder, SILENT)
    order = [pools["base"]["id"].to_pylist().index(each) for each in ids]
    drilled, halved = (pools[name].take(pa.array(order)) for name in ("base", "halved"))
    for name in served.signature.shared_columns:
        trained = served.features.numeric[served.rows, served.features.numeric_names.index(name)]
        np.testing.assert_array_equal(drilled[f"metadata:{name}"].to_numpy().astype(np.float32), trained)
    scored = Scorer.load(served.bundle).score_rows(served.features, served.rows).answers
    np.testing.assert_allclose(drilled["answer:value"].to_numpy(), scored["value"].to_numpy(), rtol=1e-5)
    lag0, lag12 = (f"metadata:{SHARED}{lag}" for lag in (0, 12))
    np.testing.assert_allclose(halved[lag0].to_numpy(), drilled[lag0].to_numpy() / 2)
    # Of the last week what was spent twelve weeks before is of the population too, and was halved on its way there.
    latest = np.asarray(pc.equal(drilled["time"], pc.max(drilled["time"])))
    np.testing.assert_allclose(halved[lag12].to_numpy()[latest], drilled[lag12].to_numpy()[latest] / 2)


def test_weeks_since_the_release_come_as_history_and_are_neither_answered_nor_logged(served, tmp_path):
    last, store = max(served.asked, key=lambda row: row["timestamp"]), Store(tmp_path / "store")
    after = [datetime.fromisoformat(last["timestamp"]) + timedelta(weeks=weeks) for weeks in (1, 2)]
    first, second = ({**last, "timestamp": each.isoformat()} for each in after)
    first["spend_tv"] = 3 * last["spend_tv"] + 1000
    log = PredictionLog(store, NAME)
    live = Service(Answering(load(served.bundle, 1), NAME), Limits(samples=2), "", log, Figures(), None)
    with running(live) as client:
        together, alone = client.rows(first, second), client.rows(second)
        known, many, odd = (
            client.client.post("/predict", json={"history": history, "rows": [second]})
            for history in ([first], [first] * 129, 3)
        )
    (answer,), of_both, (unknown,) = (each.json()["predictions"] for each in (known, together, alone))
    assert answer["value"] == pytest.approx(of_both[1]["value"], rel=1e-6)
    assert answer["value"] != pytest.approx(unknown["value"], rel=1e-4)
    kept = pa.concat_tables([pq.read_table(file) for file in sorted(store.root.glob("predictions/*/*/*.parquet"))])
    of_both, of_alone, of_known = (
        kept.filter(pc.equal(kept["request_id"], each.json()["request_id"])) for each in (together, alone, known)
    )
    assert (len(of_both), len(of_alone), len(of_known)) == (2, 1, 1)
    for lag in range(13):
        name = f"metadata:{SHARED}{lag}"
        assert of_known[name][0] == of_both[name][1]
        assert of_alone[name][0].is_valid == (lag != 1)
    assert (many.status_code, odd.status_code) == (413, 422)
    assert "129 rows of history in one request; at most 128 are taken" in many.json()["error"]
    assert 'expected {"history": [' in odd.json()["error"]


def test_it_says_which_column_is_missing_for_which_feature(served):
    assert served.refused.status_code == 422
    said = served.refused.json()["error"]
    assert (
        "'marketing/spend_tv' is made of timestamp, region, spend_tv; without timestamp, spend_tv it cannot be" in said
    )
    assert "'marketing/spend_radio'" in said
    (row,) = served.log.filter(pc.is_valid(served.log["error"])).to_pylist()
    assert row["metadata:marketing/spend_tv.lag0"] is None
    assert row["metadata:region"] == served.asked[0]["region"]


@pytest.mark.parametrize("kind", ["text", "time"])
def test_a_table_is_answered_as_its_rows_are(served, tmp_path, kind):
    table = pa.Table.from_pylist(served.asked)
    early = {**served.asked[0], "timestamp": "2019-01-07T00:00:00+00:00"}
    nameless = {**served.asked[1], "region": None}
    file = tmp_path / "rows.parquet"
    table = pa.concat_tables([table, pa.Table.from_pylist([early, nameless], table.schema)])
    if kind == "time":
        times = pc.strptime(table["timestamp"], "%Y-%m-%dT%H:%M:%S+00:00", "us").cast(pa.timestamp("us", "UTC"))
        table = table.set_column(table.column_names.index("timestamp"), "timestamp", times)
    pq.write_table(table, file)
    predict(served.bundle, str(file), tmp_path / "said.parquet", Crew(), False, SILENT)
    said = pq.read_table(tmp_path / "said.parquet")
    *answers, of_early, of_nameless = said["answer:value"].to_pylist()
    assert answers == pytest.approx([each["value"] for each in served.answers], rel=1e-5)
    assert of_early is of_nameless is None
    assert {*served.log["input"].to_pylist()} >= {*said["input"].to_pylist()[:-2]}  # a row is found again in both
    *none, first, second = said["error"].to_pylist()
    assert {*none} == {None}
    assert "it is of before" in first
    assert second == "column 'region' is empty, and shared features are made of it"
    for name in served.signature.shared_columns:
        trained = served.features.numeric[served.rows, served.features.numeric_names.index(name)]
        np.testing.assert_array_equal(said[f"metadata:{name}"].to_numpy()[:-2].astype(np.float32), trained)


@pytest.mark.parametrize(
    ("left_out", "message"), [("spend_tv", "lacks spend_tv"), ("timestamp", "Call timestamp the column that says when")]
)
def test_a_table_without_what_a_feature_is_made_of_is_refused(served, tmp_path, left_out, message):
    pq.write_table(pa.Table.from_pylist(served.asked).drop_columns([left_out]), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=message):
        predict(served.bundle, str(tmp_path / "rows.parquet"), tmp_path / "said.parquet", Crew(), False, SILENT)


def test_a_unit_in_cents_instead_of_euros_is_found_and_named(served):
    reference, scorer = pq.read_table(served.bundle.file(REFERENCE)), Scorer.load(served.bundle)

    def as_served(factor: float) -> pa.Table:
        """What the log would have of requests that give so many times the spending, a row each."""
        rows = pa.Table.from_pylist([{**row, "spend_tv": factor * row["spend_tv"]} for row in served.asked])
        made = np.concatenate([scorer.columns(rows.slice(place, 1))["numeric"] for place in range(len(rows))])
        return pa.table(
            {
                f"metadata:{name}": pa.array(made[:, scorer.signature.numeric.index(name)].astype(float))
                for name in names
            }
        )

    names = scorer.signature.shared_columns
    known = reference.select([f"metadata:{name}" for name in names])
    assert not check(known, as_served(1.0)).alarms
    verdict = check(known, as_served(100.0))
    moved = {name for each in verdict.evidence if each.alarm for name in each.moved}
    assert moved == {"metadata:marketing/spend_tv.lag0"}
    assert "spend_tv moved against the reference" in verdict.told


def test_a_row_is_found_in_the_log_by_what_its_caller_gave(served):
    store, sought = Store(served.folder / "store"), Sought(row=served.asked[3])
    assert delete(store, NAME, sought).rows == 1
    assert delete(store, NAME, sought).rows == 0


def test_a_release_of_series_keeps_how_wrong_it_was_of_every_week(served):
    reference, periods = (pq.read_table(served.bundle.file(name)) for name in (REFERENCE, PERIODS))
    off = np.log(reference["metadata:sales"].to_numpy() / reference["answer:value"].to_numpy())
    weeks = reference["timestamp"].to_numpy()
    errors = dict(zip(periods["period"].to_numpy(), periods["error:sales"].to_numpy(), strict=True))
    expected = {week: np.median(off[weeks == week]) for week in np.unique(weeks)}
    assert len(errors) > 3 * len(expected)
    np.testing.assert_allclose([errors[week] for week in expected], [*expected.values()], atol=2e-3)
    learnt = dict(zip(errors, periods["learnt"].to_pylist(), strict=True))
    assert {week for week, is_learnt in learnt.items() if not is_learnt} == {*expected}
