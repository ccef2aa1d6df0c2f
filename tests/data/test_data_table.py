from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from totalml.data import BadSample, Sample
from totalml.data.table import ImageTable
from totalml.errors import SnapshotError


@pytest.fixture
def write(tmp_path):
    """Write a CSV beside a few files and return its source."""

    def write(text: str, *files: str, **options: object) -> ImageTable:
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        (tmp_path / "table.csv").write_text(text, encoding="utf-8")
        return ImageTable(table=str(tmp_path / "table.csv"), **options)

    return write


def samples(source: ImageTable) -> list[Sample]:
    return [sample for sample in source.samples() if isinstance(sample, Sample)]


def reasons(source: ImageTable) -> dict[str, str]:
    return {sample.id: sample.reason for sample in source.samples() if isinstance(sample, BadSample)}


def test_a_row_becomes_a_sample(write, tmp_path):
    text = "file,label,pub,when,score,rooms,open,note\na/1.jpg,good,Kehoe,2024-03-17T20:00:00+01:00,4.5,3,true,\n"
    [sample] = samples(write(text, "a/1.jpg", group_column="pub", timestamp_column="when"))
    assert sample == Sample(
        "a/1.jpg",
        tmp_path / "a/1.jpg",
        "good",
        "Kehoe",
        datetime(2024, 3, 17, 19, tzinfo=UTC),
        {"score": 4.5, "rooms": 3, "open": True, "note": None},
    )


def test_a_time_without_a_zone_is_taken_as_utc(write):
    [sample] = samples(write("file,label,when\n1,a,2024-03-17 20:00:00\n", "1", timestamp_column="when"))
    assert sample.timestamp == datetime(2024, 3, 17, 20, tzinfo=UTC)


def test_a_date_is_the_start_of_its_day(write):
    [sample] = samples(write("file,label,when,seen\n1,a,2024-03-17,2020-01-02\n", "1", timestamp_column="when"))
    assert sample.timestamp == datetime(2024, 3, 17, tzinfo=UTC)
    assert sample.metadata == {"seen": datetime(2020, 1, 2, tzinfo=UTC)}


def test_a_missing_time_is_missing(write):
    source = write("file,label,when\n1,a,2024-03-17\n2,a,\n", "1", "2", timestamp_column="when")
    assert [sample.timestamp is None for sample in samples(source)] == [False, True]


def test_what_is_no_time_is_told(write):
    with pytest.raises(SnapshotError, match=r"column 'when' .*cannot be read as timestamp.*yesterday"):
        samples(write("file,label,when\n1,a,yesterday\n", "1", timestamp_column="when"))


@pytest.mark.parametrize("word", ["007", "NA", "null", "true", "2024-01-01", "1e5", "N/A", "nan"])
def test_files_labels_and_groups_are_text_whatever_they_look_like(write, word):
    header = "file,label,group\n"
    path = word.replace("/", "_")
    [sample] = samples(write(f"{header}{path},{word},{word}\n", path, group_column="group"))
    assert (sample.id, sample.label, sample.group) == (path, word, word)


def test_names_with_spaces_newlines_and_any_letters(write):
    names = ["a b.jpg", "new\nline.jpg", "пинта.jpg", 'comma, "quote".jpg']
    rows = "".join('"{}",a\n'.format(name.replace('"', '""')) for name in names)
    assert [sample.id for sample in samples(write("file,label\n" + rows, *names))] == names


def test_the_root_may_be_elsewhere_and_names_absolute(write, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"x")
    source = write(f"file,label\n{tmp_path}/photos/1.jpg,a\n./1.jpg,a\n", root=str(tmp_path / "photos"))
    assert [(sample.id, sample.image) for sample in samples(source)] == [("1.jpg", tmp_path / "photos/1.jpg")] * 2


def test_relative_paths_start_at_the_working_directory(write, tmp_path, monkeypatch):
    write("file,label\n1.jpg,a\n", "1.jpg")
    monkeypatch.chdir(tmp_path)
    assert samples(ImageTable(table="table.csv"))[0].image == tmp_path / "1.jpg"


def test_parquet_gives_the_same_samples(write, tmp_path):
    text = "file,label,score,when\n1,a,0.5,2024-01-01T00:00:00Z\n2,b,,\n"
    expected = list(write(text, "1", "2", timestamp_column="when").samples())
    columns = {
        "file": pa.array(["1", "2"], pa.large_string()),
        "label": pa.array(["a", "b"]).dictionary_encode(),
        "score": pa.array([0.5, None], pa.float32()),
        "when": pa.array([datetime(2024, 1, 1), None], pa.timestamp("ns")),
    }
    pq.write_table(pa.table(columns), tmp_path / "table.parquet")
    source = ImageTable(table=str(tmp_path / "table.parquet"), timestamp_column="when")
    assert list(source.samples()) == expected


def test_a_missing_file_is_bad(write):
    told = reasons(write("file,label\n1.jpg,a\ngone/2.jpg,a\n", "1.jpg"))
    assert list(told) == ["gone/2.jpg"]
    assert "the file is missing" in told["gone/2.jpg"]


@pytest.mark.parametrize(("row", "name"), [(",a", "row 1"), ("1,", "1")])
def test_an_empty_cell_is_bad_and_its_column_named(write, row, name):
    told = reasons(write(f"file,label\n{row}\n", "1"))
    assert list(told) == [name]
    assert "is empty" in told[name]


@pytest.mark.parametrize("file", ["../out.jpg", "a/../../out.jpg", "/etc/hostname", "link.jpg", "folder/out.jpg", ".."])
def test_a_file_outside_the_root_is_refused(write, tmp_path, file):
    (tmp_path / "out.jpg").write_bytes(b"x")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "link.jpg").symlink_to(tmp_path / "out.jpg")
    (root / "folder").symlink_to(tmp_path)
    told = reasons(write(f"file,label\n{file},a\n", root=str(root)))
    assert list(told) == [file]
    assert "outside the root" in told[file] or "leaves the root" in told[file]


def test_links_below_the_root_are_followed(write, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "1.jpg").write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to("real/1.jpg")
    (tmp_path / "folder").symlink_to("real")
    source = write("file,label\nlink.jpg,a\nfolder/1.jpg,a\n")
    assert [sample.id for sample in samples(source)] == ["link.jpg", "folder/1.jpg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_column": "flie"}, r"no column 'flie'; did you mean 'file'\?; it has \['file', 'label'\]"),
        ({"label_column": "kind"}, "no column 'kind'; it has"),
        ({"group_column": "labels"}, "did you mean 'label'"),
        ({"group_column": "by", "timestamp_column": "when"}, "no column 'by', no column 'when'; it has"),
        ({"timestamp_column": "when"}, "no column 'when'"),
        ({"metadata_columns": ["score"]}, "no column 'score'"),
    ],
)
def test_a_missing_column_is_told_with_those_there(write, options, message):
    with pytest.raises(SnapshotError, match=message):
        samples(write("file,label\n1,a\n", "1", **options))


def test_only_the_named_metadata_columns_are_taken(write):
    source = write("file,label,x,y\n1,a,1,2\n", "1", metadata_columns=["y"])
    assert samples(source)[0].metadata == {"y": 2}
    source = write("file,label,x,y\n1,a,1,2\n", "1", metadata_columns=[])
    assert samples(source)[0].metadata == {}


def test_two_columns_of_one_name_are_refused(write):
    with pytest.raises(SnapshotError, match=r"several columns named \['x'\]"):
        samples(write("file,label,x,x\n1,a,1,2\n", "1"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, r"does not exist.*data\.source\.table="),
        ("table.xlsx", b"", r"must end in \.csv, .* or \.parquet; save the sheet as 'CSV UTF-8'"),
        ("table.jsonl", b"", r"must end in .*; convert it"),
        ("table.csv", b"", "is empty"),
        ("table.csv", b"file,label\n", r"has a header \(file, label\) but no rows"),
        ("table.csv", b"file,label\n1,a,extra\n", "cannot be read: line 2 has 3 columns"),
        ("table.csv", b"fiel;kind\n1;a\n", r"no column 'file'; did you mean 'fiel'\?; it has \['fiel', 'kind'\]"),
        ("table.csv", b"file,label\n1,\xff\n", "is not UTF-8"),
        ("table.parquet", b"file,label\n", "cannot be read"),
    ],
)
def test_what_is_no_table_is_told(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SnapshotError, match=message):
        samples(ImageTable(table=str(tmp_path / name)))


def test_a_folder_of_parquet_files_is_told_with_the_way_to_join_them(tmp_path):
    (tmp_path / "table" / "day=1").mkdir(parents=True)
    for name in ("a.parquet", "day=1/b.parquet"):
        pq.write_table(pa.table({"file": ["1"], "label": ["a"]}), tmp_path / "table" / name)
    with pytest.raises(
        SnapshotError, match=r"is a folder of 2 Parquet files; join them once, .*read_table\('.*/table'\)"
    ):
        samples(ImageTable(table=str(tmp_path / "table")))


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (pa.array([1.0, float("nan"), None]), ["1"]),  # pandas keeps whole numbers with a gap as floats
        (pa.array(["a", "", None]), ["a"]),
        (pa.array([b"a", None, None]), ["a"]),
        (pa.array([0, 1, None], pa.uint8()), ["0", "1"]),
        (pa.array([True, False, None]), ["true", "false"]),
    ],
)
def test_a_label_that_parquet_lacks_is_missing_and_no_class(tmp_path, values, labels):
    for name in "123":
        (tmp_path / name).write_bytes(b"x")
    pq.write_table(pa.table({"file": ["1", "2", "3"], "label": values}), tmp_path / "t.parquet")
    source = ImageTable(table=str(tmp_path / "t.parquet"))
    assert [sample.label for sample in samples(source)] == labels
    assert set(reasons(source)) == {"1", "2", "3"} - {sample.id for sample in samples(source)}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([2**64 - 1, 2**64 - 2], pa.uint64()), ["18446744073709551615", "18446744073709551614"]),
        (pa.array([2**63 - 1, 1], pa.uint64()), [2**63 - 1, 1]),
        (pa.array([10**19 + 1, 10**19 + 2], pa.decimal128(20, 0)), ["10000000000000000001", "10000000000000000002"]),
        (pa.array([12, 13], pa.decimal128(20, 0)), [12.0, 13.0]),
    ],
)
def test_an_identifier_of_twenty_digits_in_parquet_stays_what_it_is(tmp_path, values, kept):
    for name in "12":
        (tmp_path / name).write_bytes(b"x")
    pq.write_table(pa.table({"file": ["1", "2"], "label": ["a", "a"], "pub": values}), tmp_path / "t.parquet")
    assert [sample.metadata["pub"] for sample in samples(ImageTable(table=str(tmp_path / "t.parquet")))] == kept


def test_columns_may_be_named_in_either_unicode_form(write):
    for header, name in (("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9")):
        source = write(f"file,{header},x{header}\n1,07,2\n", "1", label_column=name)
        assert [(sample.label, sample.metadata) for sample in samples(source)] == [("07", {"xcaf\u00e9": 2})]


def test_a_type_that_no_snapshot_holds_is_told(tmp_path):
    pq.write_table(pa.table({"file": ["1"], "label": ["a"], "boxes": [[1, 2]]}), tmp_path / "t.parquet")
    (tmp_path / "1").write_bytes(b"x")
    with pytest.raises(SnapshotError, match=r"column 'boxes'.*list.*metadata_columns"):
        samples(ImageTable(table=str(tmp_path / "t.parquet")))
    assert samples(ImageTable(table=str(tmp_path / "t.parquet"), metadata_columns=[]))


def test_a_root_that_does_not_exist_is_told(write):
    with pytest.raises(SnapshotError, match=r"data\.source\.root=/path"):
        samples(write("file,label\n1,a\n", "1", root="/nowhere/at/all"))


def test_line_breaks_in_a_long_table_do_not_cut_its_rows(write, tmp_path):
    (tmp_path / "1").write_bytes(b"x")
    note = "line\n" * 40
    found = samples(write("file,label,note\n" + f'1,a,"{note}"\n' * 15_000))  # 3 MB, more than is read at once
    assert {sample.metadata["note"] for sample in found} == {note}
    assert len(found) == 15_000


def test_a_table_of_many_batches_is_read_whole(write, tmp_path):
    (tmp_path / "1").write_bytes(b"x")
    rows = "".join(f"1,a,{number}\n" for number in range(10_000))
    found = samples(write("file,label,number\n" + rows))
    assert [sample.metadata["number"] for sample in found] == list(range(10_000))
    assert Path(found[0].image).read_bytes() == b"x"


def test_a_table_without_a_label_column_has_samples_without_a_label(tmp_path):
    (tmp_path / "1.png").write_bytes(b"looked at when it is stored")
    (tmp_path / "table.csv").write_text("file,price\n1.png,2.5\n")
    (sample,) = ImageTable(table=str(tmp_path / "table.csv")).samples()
    assert (sample.label, dict(sample.metadata)) == (None, {"price": 2.5})


def test_rows_without_pictures_are_samples_named_by_their_number_or_a_column(tmp_path):
    (tmp_path / "table.csv").write_text("code,label,area\n007,a,1.5\n008,b,2.5\n")
    numbered = [*ImageTable(table=str(tmp_path / "table.csv"), file_column=None).samples()]
    assert [(sample.id, sample.image, sample.label) for sample in numbered] == [
        ("000000001", None, "a"),
        ("000000002", None, "b"),
    ]
    named = [*ImageTable(table=str(tmp_path / "table.csv"), file_column=None, id_column="code").samples()]
    assert [(sample.id, dict(sample.metadata)) for sample in named] == [("007", {"area": 1.5}), ("008", {"area": 2.5})]
