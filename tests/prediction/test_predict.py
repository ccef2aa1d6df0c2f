"""The command says what the release says, of every sample, and names what it cannot use."""

from __future__ import annotations

import gzip
import sys

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.prediction.predicting import BOTH, REPOSITORY, photos, predict, read, released
from tests.serving.serving import PICTURE, SIZE, TABLE, onnx_of, picture, promote, release, serving, with_maps
from totalml.prediction.score import scorer_in
from totalml.prediction_log.sampled_pictures import is_sampled
from totalml.release.attribution import MIDDLE, Region
from totalml.store import Store


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def small_chunks(monkeypatch):
    from totalml.prediction import inputs, parts, rows

    for module, name in ((inputs, "CHUNK"), (rows, "CHUNK"), (rows, "ROWS")):
        monkeypatch.setattr(module, name, 4)
    monkeypatch.setattr(parts, "TOGETHER", 3)


def test_a_folder_is_answered_as_the_scorer_answers_it(tmp_path):
    bundle = released(tmp_path / "store")
    folder, out = photos(tmp_path / "photos", 25), tmp_path / "preds.parquet"
    (folder / ".hidden").write_bytes(b"no picture")
    (folder / "Thumbs.db").write_bytes(b"no picture")
    (folder / "empty").mkdir()
    assert predict(tmp_path / "store", folder, out) == 0
    told, files = read(out), sorted(folder.glob("??/*.png"))
    assert told["id"].to_pylist() == [file.relative_to(folder).as_posix() for file in files]
    scorer = scorer_in(bundle.folder)
    scored = scorer.score(scorer.inputs(told["id"].to_pylist(), files))
    for name in scored.answers.column_names:
        assert told[f"answer:{name}"].equals(scored.answers[name])
    assert np.array_equal(np.array(told["embedding"].to_pylist(), np.float32), scored.embeddings)
    assert told["release"].unique().to_pylist() == [bundle.hash]
    assert told["error"].null_count == told["time"].null_count == 25
    assert not out.with_name("preds.parquet.parts").exists()


def test_a_monitor_finds_the_columns_of_the_services_log(tmp_path):
    with serving(tmp_path / "store", release(Store(tmp_path / "store")), logs=True) as running:
        running.ask(picture(128))
    (segment,) = (tmp_path / "store" / "predictions" / "pints").rglob("*.parquet")
    log, out = pq.ParquetFile(segment).read(), tmp_path / "preds.parquet"
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(picture(128))
    assert predict(tmp_path / "store", tmp_path / "photos", out) == 0
    told = read(out)
    assert {*log.column_names} - {*told.column_names} == {"request_id", "replica", "seconds", "sample", "arm", "share"}
    assert {*told.column_names} <= {*log.column_names}
    shared = [name for name in told.column_names if name in log.column_names]
    assert told.select(shared).schema == log.select(shared).schema
    same = [name for name in shared if name not in ("id", "time")]
    assert told.select(same).equals(log.select(same))


def test_each_bad_picture_has_a_row_with_its_reason_and_the_others_their_answers(tmp_path, capsys, small_chunks):
    released(tmp_path / "store")
    folder, out = photos(tmp_path / "photos", 10), tmp_path / "preds.parquet"
    assert predict(tmp_path / "store", folder, out) == 0
    whole = read(out)
    (folder / "00" / "002.png").write_bytes(b"I am no picture")
    (folder / "00" / "005.png").write_bytes(b"")
    (folder / "00" / "out.png").symlink_to(tmp_path / "elsewhere.png")
    assert predict(tmp_path / "store", folder, out, "--overwrite") == 4
    err = capsys.readouterr().err
    assert "3 of 11 samples could not be used" in err
    assert "'00/005.png': the file is empty" in err
    told = read(out)
    bad = told.filter(told["error"].is_valid())
    assert bad["id"].to_pylist() == ["00/002.png", "00/005.png", "00/out.png"]
    for name in told.column_names:
        if name.startswith(("answer:", "property:")):
            assert bad[name].null_count == 3
    assert np.isnan(bad["embedding"].to_pylist()).all()
    good = told.filter(told["error"].is_null())
    kept = whole.filter(pa.array([id_ not in ("00/002.png", "00/005.png") for id_ in whole["id"].to_pylist()]))
    assert good.equals(kept)
    assert predict(tmp_path / "store", folder, out, "--overwrite", "--skip-bad") == 0


def test_where_nothing_can_be_used_every_sample_has_its_row_all_the_same(tmp_path):
    released(tmp_path / "store")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    out = tmp_path / "preds.parquet"
    assert predict(tmp_path / "store", tmp_path / "photos", out) == 4
    assert read(out).select(["id", "answer:predicted"]).to_pylist() == [{"id": "a.png", "answer:predicted": None}]


ROWS = "id;age;pub;note\nx;50;a;1\ny;4,5;a;NA\n007;NA;b;\nz;old;a;\nv;1e39;a;\n\nw;25;;\n"
ANSWERS = [0.5, 0.045, 0.0, None, None, 0.0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.csv", ROWS.encode()),
        ("excel.csv", b"sep=;\r\n" + ROWS.replace("\n", "\r\n").encode()),
        ("mark.csv", ROWS.encode("utf-8-sig")),
        ("wide.csv", ROWS.encode("utf-16")),
        ("rows.csv.gz", gzip.compress(ROWS.encode())),
    ],
    ids=["plain", "excel", "mark", "utf-16", "gzip"],
)
def test_a_csv_is_read_as_people_write_it(tmp_path, small_chunks, name, data):
    released(tmp_path / "store", TABLE, 0.01)
    (tmp_path / name).write_bytes(data)
    assert predict(tmp_path / "store", tmp_path / name, tmp_path / "preds.parquet") == 4
    told = read(tmp_path / "preds.parquet")
    assert told["id"].to_pylist() == ["x", "y", "007", "z", "v", "w"]
    assert told["answer:p:light"].to_pylist() == pytest.approx(ANSWERS, abs=1e-6)
    assert told["metadata:age"].to_pylist() == [50, 4.5, None, None, None, 25]
    assert told["metadata:pub"].to_pylist() == ["a", "a", "b", "a", "a", None]
    reasons = told["error"].to_pylist()
    assert reasons[3:5] == ["column 'age' holds 'old', which is no number", "column 'age' is infinite or beyond 3.4e38"]


def test_parquet_gives_the_same_as_the_scorer_whatever_types_hold_the_values(tmp_path, small_chunks):
    bundle = released(tmp_path / "store", TABLE, 0.01)
    age = pa.array([1, 2, None, 50, 7, 9], pa.int16())
    table = pa.table({"pub": pa.array(list("abaaab")).dictionary_encode(), "age": age, "other": age})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=3)
    assert predict(tmp_path / "store", tmp_path / "rows.parquet", tmp_path / "preds.parquet") == 0
    told = read(tmp_path / "preds.parquet")
    assert told["id"].to_pylist() == [f"{number:09}" for number in range(1, 7)]
    scorer = scorer_in(bundle.folder)
    asked = pa.table({"age": age.cast(pa.float64()), "pub": list("abaaab")})
    assert told["answer:p:light"].equals(scorer.score(scorer.inputs(list("123456"), None, asked)).answers["p:light"])


def test_a_table_with_pictures_names_them_relative_to_itself(tmp_path, small_chunks):
    bundle = released(tmp_path / "store", BOTH)
    folder = photos(tmp_path / "photos", 6)
    (folder / "rows.csv").write_text(
        "file,age,pub\n00/003.png,20,a\n00\\001.png,30,b\n00/none.png,1,a\n,1,a\n../x.png,1,a\n00/000.png,old,a\n"
    )
    assert predict(tmp_path / "store", folder / "rows.csv", tmp_path / "preds.parquet") == 4
    told = read(tmp_path / "preds.parquet")
    assert told["id"].to_pylist() == ["00/003.png", "00/001.png", "00/none.png", "000000004", "../x.png", "00/000.png"]
    scorer = scorer_in(bundle.folder)
    asked = pa.table({"age": [20.0, 30.0], "pub": ["a", "b"]})
    pictures = [folder / "00" / "003.png", folder / "00" / "001.png"]
    scored = scorer.score(scorer.inputs(["3", "1"], pictures, asked))
    assert told["answer:p:light"].to_pylist() == [*scored.answers["p:light"].to_pylist(), None, None, None, None]
    words = ("", "", "is missing", "column 'file' is empty", "outside the root", "holds 'old'")
    for reason, word in zip(told["error"].to_pylist(), words, strict=True):
        assert word in (reason or "")


@pytest.mark.parametrize("place", ["{}", "file://{}", "memory://bucket{}"])
def test_a_glob_a_table_and_a_url_name_the_same_pictures(tmp_path, place):
    released(tmp_path / "store")
    folder = photos(tmp_path / "photos", 25)
    (folder / "rows.csv").write_text("file\n01/010.png\n00/003.png\n")
    if place.startswith("memory"):
        fsspec.filesystem("memory").put(f"{folder}/", f"/bucket{folder}/", recursive=True)
    outs = [tmp_path / f"{number}.parquet" for number in range(4)]
    assert predict(tmp_path / "store", place.format(folder) + "/*/*1.png", outs[0]) == 0
    assert read(outs[0])["id"].to_pylist() == ["00/001.png", "01/011.png", "02/021.png"]
    assert predict(tmp_path / "store", place.format(folder) + "/rows.csv", outs[1]) == 0
    assert read(outs[1])["id"].to_pylist() == ["01/010.png", "00/003.png"]
    assert predict(tmp_path / "store", place.format(folder), outs[2], "--skip-bad") == 0
    told = read(outs[2])
    assert told["id"].to_pylist()[-1] == "rows.csv"
    assert len(told) == 26
    assert predict(tmp_path / "store", folder, outs[3], "--skip-bad") == 0
    assert outs[2].read_bytes() == outs[3].read_bytes()


@pytest.mark.parametrize("signature", ["pictures", "rows"])
def test_what_cannot_be_predicted_is_explained(tmp_path, capsys, signature):
    released(tmp_path / "store", TABLE) if signature == "rows" else released(tmp_path / "store")
    folder, out = photos(tmp_path / "photos", 3), tmp_path / "preds.parquet"
    (tmp_path / "rows.csv").write_text("agee,x\n1,2\n")
    (tmp_path / "none.csv").write_text("age,pub,file\n")
    (tmp_path / "torn.csv").write_text("age,pub,file\n1,a,b\n1,a\n")
    (tmp_path / "bare").mkdir()
    lacks = "lacks age, pub, which" if signature == "rows" else "lacks file, which"
    told = {
        (tmp_path / "rows.csv", out): (4, lacks),
        (tmp_path / "none.csv", out): (4, "nothing was found"),
        (tmp_path / "torn.csv", out): (4, "line 3 of the table"),
        (tmp_path / "absent.csv", out): (4, "there is no"),
        (tmp_path / "absent", out): (4, "there is no"),
        ("http://host/x", out): (2, "no filesystem is known"),
        (folder, "s3://bucket/preds.parquet"): (2, "give a file of this machine"),
        (folder, tmp_path / "preds.csv"): (2, "let its name end in .parquet"),
    }
    if signature == "pictures":
        told[(tmp_path / "bare", out)] = (4, "nothing was found")
        told[(folder / "*.jpg", out)] = (4, "nothing was found")
        told[(folder, folder / "00" / "preds.parquet")] = (2, "lies among the pictures")
    else:
        told[(folder, out)] = (4, "give a table with the columns age, pub")
    for (what, where), (code, words) in told.items():
        assert predict(tmp_path / "store", what, where) == code
        assert words in capsys.readouterr().err
    assert not out.exists()
    from totalml.cli import main

    place = [f"--store={tmp_path / 'store'}", f"--out={out}"]
    assert main(["predict", "pints@produktion", str(folder), *place]) == 2
    assert "did you mean 'production'?" in capsys.readouterr().err
    assert main(["predict", "pints@production", str(folder), *place, "--workers=0"]) == 2


def test_an_output_that_is_there_is_replaced_only_when_told(tmp_path, capsys):
    released(tmp_path / "store")
    folder, out = photos(tmp_path / "photos", 3), tmp_path / "preds.parquet"
    out.write_text("mine")
    assert predict(tmp_path / "store", folder, out) == 2
    assert "give --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert predict(tmp_path / "store", folder, out, "--overwrite") == 0
    assert len(read(out)) == 3
    foreign = tmp_path / "other.parquet.parts"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    assert predict(tmp_path / "store", folder, tmp_path / "other.parquet") == 4
    assert "holds no unfinished work" in capsys.readouterr().err
    assert (foreign / "letter.txt").read_text() == "mine"


def test_what_the_model_looked_at_is_told_of_the_share_that_is_asked_for(tmp_path):
    """A flat picture is looked at everywhere: a quarter of it is the middle. Who asks by one input asks by its hash."""
    store, folder = Store(tmp_path / "store"), photos(tmp_path / "photos", 30)
    region = np.zeros((SIZE // 2, SIZE // 2), np.float32)
    region[1:-1, 1:-1] = 1
    model = with_maps(onnx_of(PICTURE, 4.0))
    promote(store, release(store, model=model, region=Region(MIDDLE, region)))
    (folder / "00" / "bad.png").write_bytes(b"no picture")
    out = tmp_path / "out.parquet"
    assert predict(store.root, folder, out, "--skip-bad", "--maps=0.5") == 0
    rows = read(out).to_pylist()
    told = {row["input"]: row["attribution:middle"] for row in rows if row["error"] is None}
    expected = {name: pytest.approx(0.25) if is_sampled(name, 0.5) else None for name in told}
    assert told == expected
    assert 5 < sum(each is not None for each in told.values()) < 25
    assert next(row["attribution:middle"] for row in rows if row["error"]) is None
    assert predict(store.root, folder, out, "--skip-bad", "--overwrite") == 0
    assert "attribution:middle" not in read(out).column_names
    assert predict(store.root, folder, out, "--overwrite", "--maps=2") == 2
