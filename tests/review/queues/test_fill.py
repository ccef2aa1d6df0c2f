"""From a log, a test split or files to a queue: of what is there, each sample once, with its picture and its chance."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3

from tests.review.queues.traffic import MODEL, NOW, keep_pictures, logged, reference, remade, rows, seeing
from tests.serving.serving import METRICS, PICTURE, TABLE, picture, promote, release
from totalml.alerts.alert import Alert
from totalml.alerts.finding import Finding, Sample
from totalml.alerts.review import queue_labels
from totalml.cli import main
from totalml.data.snapshot import parquet_bytes
from totalml.errors import DataError
from totalml.identity import PREFIX
from totalml.recipe.review import QueueShares, ReviewRecipe
from totalml.release.log_rows import input_hash
from totalml.review.desk import Desk
from totalml.review.item import ALERT, CONTROL, DISAGREEMENT, DOUBTFUL, GIVEN, GOLD, SLICES, UNCERTAIN, Item, items_of
from totalml.review.queues.fill import Wanted, fill, top_up
from totalml.review.reviews import Reviews
from totalml.review.said import Verdict
from totalml.store import Store

NO_GOLD = ReviewRecipe(
    shares=QueueShares(control=0.4, uncertain=0.3, out_of_distribution=0.1, disagreement=0.1, slices=0.1, gold=0)
)


def only(**shares: float) -> ReviewRecipe:
    none = dict.fromkeys(("uncertain", "out_of_distribution", "disagreement", "slices", "gold"), 0.0)
    return ReviewRecipe(shares=QueueShares(**{**none, **shares}))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def drawn(store: Store, bundle, wanted: Wanted, settings: ReviewRecipe = NO_GOLD) -> list[Item]:
    filled = fill(store, bundle, settings, wanted)
    return [*items_of(Reviews(store, MODEL).items(filled.batch))] if filled.batch else []


def test_only_what_people_can_see_is_drawn_and_nothing_twice(store):
    bundle = seeing(store)
    table = rows(100, bundle.hash)
    logged(store, table)
    logged(store, rows(5, bundle.hash, seed=9, error=["too big"] * 5, request_id=[f"bad-{n}" for n in range(5)]), 2)
    kept = keep_pictures(store, table, every=2)
    first = drawn(store, bundle, Wanted(count=30))
    again = drawn(store, bundle, Wanted(count=500))
    names = [each.request_id for each in (*first, *again)]
    assert sorted(names) == sorted(kept)
    assert {each.drawn_of for each in first} == {50}
    assert {each.drawn_of for each in again} == {50 - len(first)}
    assert all(each.probability == pytest.approx(1, abs=0.02) for each in again)
    by_request = {row["request_id"]: row for row in table.to_pylist()}
    for each in first:
        row = by_request[each.request_id]
        assert each.pictures == (f"pictures/{MODEL}/{NOW:%Y-%m-%d}/{row['input'].removeprefix('blake3:')}",)
        assert each.answer == {name[7:]: value for name, value in row.items() if name.startswith("answer:")}
        assert (each.time, each.release, each.facts, each.truth) == (row["time"], bundle.hash, {}, {})
    assert fill(store, bundle, NO_GOLD, Wanted(source="log")).batch == ""


def test_a_draw_that_was_killed_before_its_event_is_drawn_again_as_it_was(store, monkeypatch):
    bundle = seeing(store)
    logged(store, table := rows(60, bundle.hash))
    keep_pictures(store, table)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reviews, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        fill(store, bundle, NO_GOLD, Wanted(count=20))
    monkeypatch.undo()
    (left,) = store.names("review", MODEL, "items")
    assert f"{fill(store, bundle, NO_GOLD, Wanted(count=20)).batch}.parquet" == left
    assert Reviews(store, MODEL).look() == 1


def test_where_releases_differ_is_drawn_before_where_they_agree(store):
    bundle = seeing(store)
    light = np.full(200, 0.9)
    logged(store, table := rows(200, bundle.hash, light=light))
    keep_pictures(store, table)
    other = light.copy()
    other[:4] = 0.1
    logged(store, rows(200, "blake3:" + "7" * 64, light=other), 2)
    found = drawn(store, bundle, Wanted(count=60))
    by_queue = {each.request_id: each for each in found}
    assert {f"order-{n}" for n in range(4)} <= by_queue.keys()
    assert {each.request_id for each in found if each.queue == DISAGREEMENT} <= {f"order-{n}" for n in range(4)}
    assert all(by_queue[f"order-{n}"].probability == pytest.approx(1) for n in range(4))


def test_groups_that_the_report_calls_worse_are_drawn_of(store):
    worse = {
        "name": "pub a",
        "where": {"pub": "a", "age": "40 and more"},
        "count": 9,
        "accuracy": {"value": 0.5},
        "gap": {"value": -0.4},
        "p": 0.001,
        "worse": True,
    }
    slices = {"declared": [worse], "found": [], "searched": 1, "too_small": [], "left_out": {}}
    slices |= {"error_rate": 0.05, "min_support": 5, "confidence": 0.95}
    bundle = remade(
        store, release(store, signature=TABLE), metrics_json=json.dumps(METRICS | {"slices": slices}).encode()
    )
    ages, pubs = np.arange(300) % 80, np.where(np.arange(300) % 3, "b", "a")
    table = rows(300, bundle.hash, **{"metadata:age": pa.array(ages.astype(float)), "metadata:pub": pubs})
    logged(store, table)
    found = drawn(store, bundle, Wanted(count=60), only(control=0.5, slices=0.5))
    inside = [each for each in found if each.queue == SLICES]
    assert len(inside) > 5
    assert all(each.facts["pub"] == "a" and each.facts["age"] >= 40 and each.note == "pub a" for each in inside)


def replace_shares(**more: float) -> ReviewRecipe:
    shares = {**vars(NO_GOLD.shares), **more}
    shares["out_of_distribution"] = 0.0
    return ReviewRecipe(
        shares=QueueShares(**{**shares, "control": 1 - sum(v for k, v in shares.items() if k != "control")})
    )


def test_what_a_monitor_asks_for_comes_with_its_chance_and_first(store):
    bundle = seeing(store)
    logged(store, table := rows(80, bundle.hash))
    keep_pictures(store, table)
    samples = [Sample("order-3", "a", probability=0.25), Sample("order-4", probability=0.5), Sample("gone", "a")]
    finding = Finding("concept", "page", "it errs", release=bundle.hash, samples=tuple(samples))
    alert = Alert("pints-1", MODEL, finding, "raised", frozenset(), NOW, NOW, NOW, 1, "raised", "", ())
    queue_labels(alert, store, NOW)
    found = drawn(store, bundle, Wanted(count=20))
    asked = {each.request_id: each for each in found if each.queue == ALERT}
    assert {name: each.probability for name, each in asked.items()} == {"order-3": 0.25, "order-4": 0.5}
    assert {each.note for each in asked.values()} == {"concept, pints-1"}
    assert {each.drawn_of for each in asked.values()} == {4 + 2 + 1}
    assert max(Counter(each.request_id for each in found).values()) == 1
    assert Desk(Reviews(store, MODEL), NO_GOLD).next("eve")[0].queue == ALERT
    assert not [each for each in drawn(store, bundle, Wanted(count=20)) if each.queue == ALERT]


def snapshot_of(store: Store, monkeypatch) -> None:
    """The pictures of the reference's samples, without a source that they were taken from."""
    names = [f"pint-{n:03}" for n in range(40)]
    found = [blake3(picture(n)) for n in range(40)]
    with store.writing() as writer:
        for n, each in enumerate(found):
            writer.add(each.digest(), picture(n))
    blobs = [PREFIX + each.hexdigest() for each in found]

    class Held:
        samples = pa.table({"id": names, "blob": blobs})

    monkeypatch.setattr("totalml.review.queues.from_test.load_snapshot", lambda *_: Held)


def test_a_model_that_nobody_has_asked_is_judged_on_its_test_split_with_gold_apart(store, monkeypatch):
    snapshot_of(store, monkeypatch)
    bundle = seeing(store)
    filled = fill(store, bundle, ReviewRecipe(), Wanted(count=12))
    assert any("test split is asked about" in each for each in filled.told)
    found = items_of(Reviews(store, MODEL).items(filled.batch))
    labels = {row["id"]: row for row in pq.read_table(pa.BufferReader(reference())).to_pylist()}
    assert len({each.sample for each in found}) == len(found)
    assert {labels[each.sample]["split"] for each in found} == {"test"}
    gold = [each for each in found if each.queue == GOLD]
    assert len(gold) == 1  # a tenth of twelve
    assert all(each.truth == {"label": labels[each.sample]["label"]} for each in found)
    assert store.read(found[0].pictures[0]) == picture(int(found[0].sample.removeprefix("pint-")))
    rest = items_of(Reviews(store, MODEL).items(fill(store, bundle, ReviewRecipe(), Wanted(count=500)).batch))
    assert len({each.sample for each in (*found, *rest)}) == 20
    assert Counter(each.queue for each in rest)[GOLD] == 1  # a tenth of what was left, not of what was asked for


def test_gold_shows_nothing_that_items_of_the_log_do_not(store, monkeypatch):
    snapshot_of(store, monkeypatch)
    known = pq.read_table(pa.BufferReader(reference()))
    known = known.append_column("metadata:pub", pa.array([f"pub {n}" for n in range(len(known))]))
    signature = replace(PICTURE, context={"pub": "text"})
    bundle = release(store, signature=signature, reference=parquet_bytes(known))
    table = rows(40, bundle.hash)
    keep_pictures(store, table)
    logged(store, table)
    settings = replace_shares(gold=0.4).model_copy(update={"shows": ("pub",)})
    found = drawn(store, bundle, Wanted(count=20), settings)
    assert {each.queue for each in found} > {GOLD, CONTROL}
    assert {tuple(each.facts) for each in found} == {()}


def test_what_three_said_alike_becomes_gold_unless_it_is_control(store):
    bundle = seeing(store)
    logged(store, table := rows(40, bundle.hash))
    keep_pictures(store, table)
    found = drawn(store, bundle, Wanted(count=20))
    control = next(each for each in found if each.queue == CONTROL)
    alike, split = [each for each in found if each.queue == UNCERTAIN][:2]
    reviews = Reviews(store, MODEL)
    reviews.look()

    def say(item: Item, labels: str) -> None:
        for number, label in enumerate(labels):
            word = {"l": "light", "d": "dark"}[label]
            who = f"eve-{number}"
            reviews.say([Verdict(f"{item.item}-{who}", item.item, who, NOW.isoformat(), {"label": {"label": word}})])

    say(alike, "lll")
    say(split, "lld")
    say(control, "lll")
    settings = ReviewRecipe(
        shares=QueueShares(control=0.5, uncertain=0.3, out_of_distribution=0, disagreement=0, slices=0, gold=0.2)
    )
    gold = [each for each in drawn(store, bundle, Wanted(count=20), settings) if each.queue == GOLD]
    assert [(each.item, each.truth) for each in gold] == [(alike.item, {"label": "light"})]


def test_what_a_person_names_is_asked_and_what_is_not_there_is_told(store, tmp_path):
    bundle = seeing(store)
    logged(store, table := rows(10, bundle.hash))
    keep_pictures(store, table)
    file = tmp_path / "ids.txt"
    file.write_text("order-7\n\norder-2\n" + table["input"][2].as_py() + "\n")
    found = drawn(store, bundle, Wanted(ids=file))
    assert {(each.request_id, each.queue) for each in found} == {("order-7", GIVEN), ("order-2", GIVEN)}
    file.write_text("order-7\norder-77\norder-78\n")
    with pytest.raises(DataError, match="order-77, order-78"):
        fill(store, bundle, NO_GOLD, Wanted(ids=file))


def test_predictions_of_a_folder_bring_their_pictures_and_those_that_changed_are_told(store, tmp_path):
    bundle = seeing(store)
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"{n}.png" for n in range(12)]
    for n, name in enumerate(names):
        (folder / name).write_bytes(picture(10 * n))
    told = rows(12, bundle.hash, id=names, input=[input_hash(picture(10 * n), {}) for n in range(12)])
    file = tmp_path / "preds.parquet"
    pq.write_table(told.drop_columns(["request_id", "sample"]), file)
    wanted = Wanted(predictions=file, pictures=folder, count=6)
    found = drawn(store, bundle, wanted)
    assert 4 <= len(found) <= 8
    for each in found:
        with store.open_file(each.pictures[0]) as kept:
            assert kept.read() == (folder / str(each.sample)).read_bytes()
    (folder / "3.png").write_bytes(b"other")
    (folder / "4.png").unlink()
    (tmp_path / "out.png").write_bytes(picture(1))
    with pytest.raises(DataError, match=r"3\.png: is not what was predicted|4\.png: is not there"):
        fill(Store(tmp_path / "new"), bundle, NO_GOLD, replace(wanted, count=12))
    pq.write_table(pa.table({"id": ["a"]}), file)
    with pytest.raises(DataError, match="no column release, input, error"):
        fill(store, bundle, NO_GOLD, wanted)


def test_no_name_of_a_prediction_leads_out_of_its_folder(store, tmp_path):
    bundle = seeing(store)
    (tmp_path / "photos").mkdir()
    (tmp_path / "secret.png").write_bytes(picture(1))
    file = tmp_path / "preds.parquet"
    told = rows(1, bundle.hash, id=["../secret.png"], input=[input_hash(picture(1), {})])
    pq.write_table(told.drop_columns(["request_id"]), file)
    with pytest.raises(DataError, match="is not there"):
        fill(store, bundle, NO_GOLD, Wanted(predictions=file, pictures=tmp_path / "photos"))


def test_the_queue_is_topped_up_only_where_nothing_waits(store):
    bundle = seeing(store)
    logged(store, table := rows(20, bundle.hash))
    keep_pictures(store, table)
    settings = NO_GOLD.model_copy(update={"count": 5})
    first = top_up(Reviews(store, MODEL), store, bundle, settings)
    assert first is not None
    assert first.batch
    assert top_up(Reviews(store, MODEL), store, bundle, settings) is None
    reviews = Reviews(store, MODEL)
    reviews.look()
    said = [
        Verdict(f"key-{each.item}", each.item, "eve", NOW.isoformat(), {"cannot_tell": ""})
        for each in items_of(reviews.items(first.batch))
    ]
    reviews.say(said)
    second = top_up(Reviews(store, MODEL), store, bundle, settings)
    assert second is not None
    assert second.batch not in ("", first.batch)


def test_the_command_says_what_waits_and_all_that_is_wrong(store, capsys):
    bundle = remade(store, seeing(store), recipe_yaml=b"review: {count: 40}")
    promote(store, bundle)
    given = ["review", "queue", MODEL, f"--store={store.root}"]
    assert main([*given, "--from=log"]) == 4
    logged(store, table := rows(50, bundle.hash))
    assert main([*given, "--from=log"]) == 4
    told = capsys.readouterr()
    assert "the pictures of 0 were kept; nobody can judge the others: log: {pictures: 0.1} in" in told.out + told.err
    keep_pictures(store, table, every=5)
    assert main([*given, "--count=6"]) == 0
    told = capsys.readouterr().out
    assert "items of pints wait for reviewers" in told
    assert "of 50 requests of the last 14 days the pictures of 10 were kept" in told
    assert "pictures: 0.1" not in told
    assert main([*given, "--from=test", "--from-file=x", "--pictures=y", "--count=0", "--since=14d"]) == 2
    wrong = capsys.readouterr().err
    assert all(each in wrong for each in ("two sources", "--predictions", "--count 0"))
    assert main([*given, "--since=soon"]) == 2


def test_doubtful_labels_come_with_the_most_doubted_first(store, tmp_path, monkeypatch):
    from totalml.review.queues.named import doubtful_items

    names = [f"pint-{n}" for n in range(6)]
    samples = pa.table({"id": names, "blob": [f"blake3:{n}" for n in range(6)]})
    doubts = pa.table(
        {"id": names[::-1], "label": ["dark"] * 6, "suggested": ["light"] * 6, "doubt": [0.1, 0.9, 0.5, 0, 1, 0.2]}
    )
    found = doubtful_items(samples, "blake3:data", doubts, True, 3, pa.array([], pa.string()))
    assert [each.sample for each in found] == ["pint-1", "pint-4", "pint-3"]
    assert {each.queue for each in found} == {DOUBTFUL}
    assert found[0].pictures == ("blake3:1",)
    assert not found[0].truth  # which is just what is doubted
    with pytest.raises(DataError, match="lacks suggested"):
        doubtful_items(samples, "blake3:data", doubts.drop_columns(["suggested"]), True, 3, pa.array([], pa.string()))
    strange = doubts.set_column(0, "id", [["none"] * 6])
    with pytest.raises(DataError, match="of no sample"):
        doubtful_items(samples, "blake3:data", strange, True, 3, pa.array([], pa.string()))


def test_an_explanation_is_asked_with_the_answer_so_that_none_is_blind(store):
    bundle = seeing(store)
    logged(store, table := rows(30, bundle.hash))
    keep_pictures(store, table)
    labels = drawn(store, bundle, Wanted(count=10))
    asked = drawn(store, bundle, Wanted(count=10, ask="explanation"))
    assert {(each.ask, each.is_blind, bool(each.answer)) for each in asked} == {("explanation", False, True)}
    assert {each.item for each in asked}.isdisjoint(each.item for each in labels)
    later = drawn(store, bundle, Wanted(count=30))  # nobody who was shown what the model saw is asked as if blind
    requests = [[each.request_id for each in some] for some in (labels, asked, later)]
    assert sorted(each for some in requests for each in some) == sorted(table["request_id"].to_pylist())


def test_a_group_is_shown_by_its_errors(store, monkeypatch):
    snapshot_of(store, monkeypatch)
    split = [row for row in pq.read_table(pa.BufferReader(reference())).to_pylist() if row["split"] == "test"]
    known = pa.Table.from_pylist(split)
    pub = pa.array(["a" if n % 2 else "b" for n in range(len(known))])
    bundle = seeing(store, rows=known.append_column("metadata:pub", pub))
    slices = {"pub a": {"pub": "a"}, "pub c": {"pub": "c"}}
    monkeypatch.setattr("totalml.review.queues.fill.flagged_slices", lambda *_: slices)
    (found,) = drawn(store, bundle, Wanted(ask="slice"))
    inside = [row for row, name in zip(split, pub.to_pylist(), strict=True) if name == "a"]
    wrong = [row["id"] for row in inside if row["label"] != row["answer:predicted"]]
    assert (found.note, found.facts) == ("pub a", {"wrong": len(wrong), "of": len(inside)})
    assert [store.read(each) for each in found.pictures] == [
        picture(int(name.removeprefix("pint-"))) for name in wrong[:12]
    ]


def test_a_group_by_light_is_found_again_in_the_log(store, monkeypatch):
    known = pq.read_table(pa.BufferReader(reference(90)))
    bundle = seeing(store, rows=known.append_column("property:brightness", pa.array(np.arange(90.0))))
    light = np.linspace(0, 90, 120)
    logged(store, table := rows(120, bundle.hash, **{"property:brightness": light}))
    keep_pictures(store, table)
    slices = {"dim light": {"light": "dim"}}
    monkeypatch.setattr("totalml.review.queues.fill.flagged_slices", lambda *_: slices)
    found = drawn(store, bundle, Wanted(count=60), only(control=0.5, slices=0.5))
    inside = [int(each.request_id.removeprefix("order-")) for each in found if each.queue == SLICES]
    assert len(inside) > 5
    assert max(light[inside]) <= np.quantile(np.arange(1, 90, 2), 1 / 3)
