"""A model asked from a notebook says what the run says of the same samples, in whatever form they are given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from PIL import Image

from totalml.compose import compose_recipe
from totalml.errors import DataError, FeatureError
from totalml.notebook import Run, predictor

REPOSITORY = Path(__file__).parents[2]
Finished = Callable[[str], Run]


def said(table: pa.Table) -> pa.Table:
    """The columns of a prediction, of either table."""
    return table.select(["predicted", "confidence", "p:bright", "p:dark"])


def alike(one: pa.Table, other: pa.Table) -> bool:
    """Rounding moves with what else is in a batch."""
    one, other = said(one), said(other)
    numbers = one.column_names[1:]
    return one["predicted"].equals(other["predicted"]) and all(
        np.allclose(one[name].to_numpy(), other[name].to_numpy(), atol=1e-6) for name in numbers
    )


def rows_of(run: Run, project: Path) -> pa.Table:
    """What the table of the project says of the test samples, in the order of the predictions."""
    table = pyarrow.csv.read_csv(project / "photos" / "labels.csv")
    place = pc.index_in(run.predictions["id"], table["file"])
    return table.take(place).select(["height_mm", "glass"])


def test_pictures_in_every_form_are_judged_as_in_the_run(finished: Finished, project: Path):
    run = finished("photos")
    files = [project / "photos" / name for name in run.predictions["id"].to_pylist()]
    model = run.model()
    assert len(files) > 5
    for given in (files, map(str, files), [Image.open(file) for file in files]):
        assert alike(model.predict(given), run.predictions)
    (alone,) = model.predict(files[3]).to_pylist()
    assert alone["id"] == str(files[3])
    assert alone["predicted"] == run.predictions["predicted"][3].as_py()


def test_the_answer_has_the_columns_of_the_predictions(finished: Finished, project: Path):
    run = finished("photos")
    answer = run.model().predict(project / "photos" / "00.png")
    assert answer.column_names == ["id", "predicted", "confidence", "p:bright", "p:dark"]
    for field in answer.schema:
        assert run.predictions.schema.field(field.name).type == field.type


def test_a_folder_is_judged_whole_by_path_and_without_what_systems_leave(finished: Finished, project: Path, tmp_path):
    for name in ("b/2.png", "a/1.png", "0.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((project / "photos" / "00.png").read_bytes())
    (tmp_path / "a" / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.png").write_bytes(b"x")
    assert finished("photos").model().predict(tmp_path)["id"].to_pylist() == ["0.png", "a/1.png", "b/2.png"]


def test_a_picture_that_pillow_holds_is_seen_as_its_file_is(finished: Finished, tmp_path):
    rng = np.random.default_rng(1)
    turned = Image.Exif()
    turned[0x0112] = 6  # lies on its side
    colours = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    colours.save(tmp_path / "turned.jpg", exif=turned)
    clear = colours.copy()
    clear.putalpha(60)
    clear.save(tmp_path / "clear.png")
    Image.fromarray(rng.integers(0, 65536, (20, 30), np.uint16)).save(tmp_path / "deep.png")
    files, model = sorted(tmp_path.iterdir()), finished("photos").model()
    by_file, held = model.predict(files), model.predict([Image.open(file) for file in files])
    assert held.equals(by_file)
    # None of the three is seen as its bare pixels are.
    bare = model.predict([Image.fromarray(np.asarray(Image.open(file).convert("RGB"))) for file in files])
    assert not any(np.isclose(bare["p:dark"].to_numpy(), by_file["p:dark"].to_numpy(), atol=1e-6))


def test_every_bad_picture_is_named_with_its_reason(finished: Finished, project: Path, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes((project / "photos" / "00.png").read_bytes()[:200])
    (tmp_path / "good.png").write_bytes((project / "photos" / "00.png").read_bytes())
    with pytest.raises(DataError) as caught:
        finished("photos").model().predict(tmp_path)
    first, *rest = str(caught.value).splitlines()
    assert first == "2 pictures of 3 cannot be used; mend or leave out:"
    assert [line.partition(": ")[0] for line in rest] == ["  'cut.png'", "  'empty.jpg'"]
    assert "the file is empty" in rest[1]


def test_many_pictures_are_judged_part_by_part(finished: Finished, project: Path, monkeypatch):
    model = finished("photos").model()
    whole = model.predict(project / "photos" / "00.png")
    files = sorted((project / "photos").glob("*.png"))
    together = model.predict(files)
    monkeypatch.setattr(predictor, "CHUNK", 7)
    parts = model.predict(files)
    assert parts["id"].equals(together["id"])
    assert alike(parts, together)
    assert alike(parts.slice(0, 1), whole)


def test_rows_in_every_form_are_judged_as_in_the_run(finished: Finished, project: Path):
    run = finished("table")
    rows, model = rows_of(run, project), run.model()
    frame = rows.to_pandas().astype({"glass": "category"})
    forms = [rows, frame, rows.to_pydict(), rows.to_pylist(), frame.set_index(np.arange(len(frame)) + 7)]
    assert all(alike(model.predict(rows=form), run.predictions) for form in forms)


def test_codes_of_words_are_those_of_training(finished: Finished, project: Path):
    """Were the vocabulary made of what is given, a lone `tulip` would get the code of `nonic`."""
    model = finished("table").model()
    both = model.predict(rows={"height_mm": [150, 150], "glass": ["nonic", "tulip"]})
    alone = model.predict(rows={"height_mm": [150], "glass": ["tulip"]})
    assert alike(alone, both.slice(1))
    assert not alike(alone, both.slice(0, 1))


def test_a_word_that_training_never_saw_counts_as_missing(finished: Finished):
    model = finished("table").model()
    strange, missing = (model.predict(rows={"height_mm": [150], "glass": [word]}) for word in ("boot", None))
    assert alike(strange, missing)


def test_rows_are_named_by_their_column_id(finished: Finished):
    model = finished("table").model()
    named = model.predict(rows=pd.DataFrame({"id": [7, 8], "height_mm": [1.0, np.nan], "glass": ["tulip", None]}))
    assert named["id"].to_pylist() == ["7", "8"]
    assert model.predict(rows=[{"height_mm": 1, "glass": "tulip"}])["id"].to_pylist() == ["row 1"]


def test_pictures_with_rows_are_judged_as_in_the_run(finished: Finished, project: Path):
    run = finished("both")
    files = [project / "photos" / name for name in run.predictions["id"].to_pylist()]
    rows = rows_of(run, project)
    assert alike(run.model().predict(files, rows=rows), run.predictions)
    with pytest.raises(DataError, match=f"there are {len(files)} pictures and {len(files) - 1} rows"):
        run.model().predict(files, rows=rows.slice(1))


@pytest.mark.parametrize(
    ("name", "pictures", "rows", "message"),
    [
        ("photos", None, None, r"the model sees pictures; give them: predict\(pictures=...\)"),
        ("photos", "00.png", {"a": [1]}, "the model sees no rows; leave rows out"),
        ("table", None, None, r"the model sees rows; give them: predict\(rows=...\)"),
        ("table", "00.png", {"a": [1]}, "the model sees no pictures; leave pictures out"),
        ("photos", "nowhere.jpg", None, "there is no picture or folder 'nowhere.jpg'"),
        ("photos", [], None, "there are no pictures to predict"),
        ("photos", b"JPEG", None, "expected a path, a folder, an image of Pillow, or a list of them; got bytes"),
        ("table", None, [], "the table has no rows to predict"),
        ("table", None, 3, "expected an Arrow table, a data frame of pandas.*; got int"),
        ("table", None, {"height_mm": [1, 2], "glass": ["tulip"]}, "the rows are no table"),
    ],
)
def test_what_the_model_cannot_take_is_explained(finished: Finished, name, pictures, rows, message):
    with pytest.raises(DataError, match=message):
        finished(name).model().predict(pictures, rows=rows)


def test_a_missing_column_is_named_with_the_one_that_was_meant(finished: Finished):
    with pytest.raises(FeatureError, match=r"'height_mm'.*did you mean 'height_m'"):
        finished("table").model().predict(rows={"height_m": [1], "glass": ["tulip"]})


def test_a_model_of_shared_features_says_what_answers_instead():
    recipe = compose_recipe(REPOSITORY, ["+recipe=marketing_smoke", "registry.alias=trial"])
    model = predictor.Predictor(recipe, None, None, None)  # type: ignore[arg-type]  # it refuses before it looks at any
    with pytest.raises(DataError, match=r"marketing/spend_tv.* earlier rows.* totalml predict marketing_smoke@trial"):
        model.predict(rows={"price": [1.0]})
