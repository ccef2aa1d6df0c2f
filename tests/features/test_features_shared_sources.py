"""Features of a source of their own: taken, computed once, kept, and looked up as of each sample's time."""

import json
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import get_context

import pyarrow as pa
import pytest

from tests.features.rows_of_series import DAY_US, START, listed, table
from totalml.data import ImageFolder, Sample, Snapshot, take_snapshot
from totalml.errors import FeatureError, SnapshotError
from totalml.features import Lags, Window, build_features
from totalml.features.shared.looked_up import values_at
from totalml.features.shared.materialised import VALUES, materialised, values_key
from totalml.features.shared.sources import with_snapshots
from totalml.kinds import Source
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, SharedRecipe, TableFeatures
from totalml.store import Store, open_store
from totalml.task import Classification

SILENT = Progress.silent()


class Rain(Source):
    """Rain of two regions, a day each, known a day later."""

    days: int = 6
    wetter: float = 1.0

    def samples(self) -> Iterator[Sample]:
        for region in "ab":
            for day in range(self.days):
                when = START + timedelta(days=day)
                told = {"region": region, "rain": self.wetter * day, "reported": when + timedelta(days=1)}
                yield Sample(f"{region}{day}", None, None, timestamp=when, metadata=told)


def rain(**given):
    basics = {"owner": "ann", "column": "rain", "entity": ["region"], "every": "1d", "lags": 0, "source": Rain()}
    return Lags(**basics | given)


def shared(store, **features):
    """With their snapshots, by name."""
    named = tuple(SharedRecipe(name=f"weather/{name}", feature=feature) for name, feature in features.items())
    return with_snapshots(FeaturesRecipe(shared=named), store).shared


def at(store, feature, *rows):
    """Values at rows of (region, time)."""
    (each,) = shared(store, rain=feature)
    made = values_at(each, table([(region, time, None) for region, time in rows]), store, SILENT)
    return listed(made, made.column_names[0])


ROWS = [("a", 2 * DAY_US), ("b", DAY_US // 2), ("a", -DAY_US), ("c", 0), ("b", 9 * DAY_US)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [2, 0, None, None, 5]),
        ({"known_time": "reported"}, [1, None, None, None, 5]),
        ({"ttl": "2d"}, [2, 0, None, None, None]),
        ({"ttl": "99999999999999w"}, [2, 0, None, None, 5]),
        ({"known_time": "reported", "ttl": "12h"}, [None] * 5),
        ({"event_time": "reported"}, [1, None, None, None, 5]),
    ],
)
def test_a_sample_sees_the_latest_value_that_was_known_and_is_young_enough(store, given, expected):
    assert at(store, rain(**given), *ROWS) == expected


def test_rows_of_the_snapshot_itself_are_seen_since_they_were_known(store):
    feature = Lags(owner="ann", column="spend", entity=["region"], every="1d", lags=0, known_time="reported")
    rows = table([("a", day * DAY_US, float(day)) for day in range(4)])
    late = [START + timedelta(days=day + 2) for day in range(4)]
    rows = rows.append_column("reported", pa.array(late, pa.timestamp("us", "UTC")))
    made = values_at(SharedRecipe(name="a/b", feature=feature), rows, store, SILENT)
    assert listed(made, "lag0") == [None, None, 0, 1]


def test_values_are_computed_once_for_all_recipes_and_everybody(store, monkeypatch):
    computed = []
    columns = Lags.columns

    def counted(self, rows):
        computed.append(len(rows))
        return columns(self, rows)

    monkeypatch.setattr(Lags, "columns", counted)
    assert at(store, rain(), ("a", DAY_US)) == [1]
    assert at(Store(store.root), rain(owner="bob"), ("b", 2 * DAY_US)) == [2]
    assert computed == [12]
    assert at(store, rain(missing="zero"), ("a", DAY_US)) == [1]
    assert at(store, rain(source=Rain(wetter=2.0)), ("a", DAY_US)) == [2]
    assert computed == [12, 12, 12]


def test_another_machine_finds_them_in_the_remote_store(tmp_path, monkeypatch):
    machines = [open_store(f"file://{tmp_path}/there", str(tmp_path / name)) for name in ("one", "two")]
    (each,) = shared(machines[0], rain=rain())
    machines[0].publish()
    made = materialised(each.feature, each.snapshot, machines[0])
    monkeypatch.setattr(Lags, "columns", None)  # nobody computes anything from here on
    (there,) = shared(machines[1], rain=rain())
    assert materialised(there.feature, there.snapshot, machines[1]).equals(made)


def test_kept_values_that_are_damaged_are_made_again(store, capsys):
    (each,) = shared(store, rain=rain())
    before = materialised(each.feature, each.snapshot, store)
    (kept,) = (store.root / "shared").glob(f"*/{VALUES}")
    kept.write_bytes(kept.read_bytes()[:-9] + b"\0" * 9)
    assert materialised(each.feature, each.snapshot, store, Progress("plain")).equals(before)
    assert f"{kept} is damaged; its values are made again" in capsys.readouterr().err
    kept.with_name("manifest.json").write_text("{")
    assert materialised(each.feature, each.snapshot, store).equals(before)


def test_what_a_killed_process_left_is_not_taken_for_values(store, monkeypatch):
    (each,) = shared(store, rain=rain())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("totalml.features.shared.materialised.file_digest", killed)  # the values are written by then
        with pytest.raises(KeyboardInterrupt):
            materialised(each.feature, each.snapshot, store)
    assert not [*(store.root / "shared").glob(f"[!.]*/{VALUES}")]
    assert len(materialised(each.feature, each.snapshot, store)) == 12


def test_what_was_made_of_says_so(store):
    (each,) = shared(store, rain=rain(description="mm a day"))
    values = materialised(each.feature, each.snapshot, store)
    assert values.column_names == ["entity.region", "event_time", "value.lag0"]
    (manifest,) = (store.root / "shared").glob("*/manifest.json")
    told = json.loads(manifest.read_text())
    assert (told["data_hash"], told["rows"]) == (each.snapshot, 12)
    assert told["definition"]["description"] == "mm a day"


def _make(root, snapshot):
    materialised(rain(), snapshot, Store(root))


def test_two_processes_at_once_make_one(store):
    (each,) = shared(store, rain=rain())
    processes = [get_context("fork").Process(target=_make, args=(store.root, each.snapshot)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len([*(store.root / "shared").iterdir()]) == 1


def test_a_source_that_several_features_have_is_looked_at_once(store, monkeypatch):
    asked = []
    samples_of = Rain.samples
    monkeypatch.setattr(Rain, "samples", lambda self: asked.append(self.days) or samples_of(self))
    one, other, third = shared(store, one=rain(), other=rain(lags=1), third=rain(source=Rain(days=3)))
    assert one.snapshot == other.snapshot != third.snapshot
    assert asked == [6, 3]


def test_another_snapshot_of_the_source_makes_another_feature_set(store):
    def key(days):
        feature = SharedRecipe(name="weather/rain", feature=rain(source=Rain(days=days)))
        recipe = FeaturesRecipe(image=None, table=TableFeatures(numeric=("spend",)), shared=(feature,))
        return build_features(recipe, DataRecipe(source=ImageFolder(root=".")), Classification(), samples(), store).key

    assert key(3) == key(3) != key(4)


def samples():
    rows = table([("a", 0, 1.0), ("b", DAY_US, 2.0)])
    named = {"id": rows["id"], "blob": pa.nulls(2, pa.string()), "label": ["x", "y"], "timestamp": rows["timestamp"]}
    return Snapshot("blake3:" + "0" * 64, pa.table(named), rows.select(["region", "spend"]), pa.table({}))


def test_a_pinned_snapshot_is_what_is_used_and_asked_for(store):
    (each,) = shared(store, rain=rain())
    drier = each.model_copy(update={"feature": rain(source=Rain(wetter=0.5))})
    assert with_snapshots(FeaturesRecipe(shared=(drier,)), store).shared[0].snapshot == each.snapshot
    elsewhere = Store(store.root.with_name("elsewhere"))
    with pytest.raises(SnapshotError, match=r"source of shared feature 'weather/rain': .*no longer gives the pinned"):
        with_snapshots(FeaturesRecipe(shared=(drier,)), elsewhere)


def test_the_key_is_that_of_definition_data_and_code(monkeypatch):
    key = values_key(rain(), "blake3:1")
    assert values_key(rain(owner="bob"), "blake3:1") == key
    assert values_key(rain(), "blake3:2") != key
    assert values_key(rain(ttl="1d"), "blake3:1") != key
    monkeypatch.setattr("totalml.features.shared.materialised.code_of", lambda *_: {"totalml.features": "edited"})
    assert values_key(rain(), "blake3:1") != key


def test_samples_without_what_names_their_entity_are_told(store):
    (each,) = shared(store, rain=rain(entity=["region"]))
    with pytest.raises(FeatureError, match="the rows have no column 'region'"):
        values_at(each, table([("a", 0, 1.0)]).drop(["region"]), store, SILENT)
    timeless = table([("a", 0, 1.0)]).set_column(1, "timestamp", pa.nulls(1, pa.timestamp("us", "UTC")))
    with pytest.raises(FeatureError, match="have no timestamp in 1 row"):
        values_at(each, timeless, store, SILENT)


def test_a_window_over_a_source_of_its_own_is_joined_like_a_lag(store):
    feature = Window(owner="ann", column="rain", entity=["region"], last="2d", of=("sum",), source=Rain())
    assert at(store, feature, ("a", 3 * DAY_US + 1), ("b", 0)) == [5, 0]


def test_the_snapshot_of_a_source_is_one_as_any(store):
    (each,) = shared(store, rain=rain())
    assert take_snapshot(DataRecipe(source=Rain()), store).data_hash == each.snapshot
