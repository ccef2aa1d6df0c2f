"""CSV as spreadsheets, databases and other systems write it: read where only one reading is possible, else told."""

import gzip

import pytest

from totalml.data.csv_file import read_csv
from totalml.data.table_file import column_names
from totalml.errors import SnapshotError

NEEDED = ("file", "label")


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes, name: str = "table.csv", timestamp: str | None = None) -> dict[str, list]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_csv(path, NEEDED, NEEDED, timestamp).to_pydict()

    return read


PLAIN = 'file,label,score\na.jpg,café,1.5\nb.jpg,"x; y",2\n'
EXPECTED = {"file": ["a.jpg", "b.jpg"], "label": ["café", "x; y"], "score": [1.5, 2.0]}
GERMAN = 'file;label;score\na.jpg;café;1,5\nb.jpg;"x; y";2\n'
# The same table as others write it; project#number is a report of a tool that read it wrongly.
VARIANTS = {
    "as it should be": ("table.csv", PLAIN.encode()),
    "with a byte order mark, pandas#4793, orange3#7000": ("table.csv", PLAIN.encode("utf-8-sig")),
    "from Windows": ("table.csv", PLAIN.replace("\n", "\r\n").encode()),
    "from an old Mac": ("table.csv", PLAIN.replace("\n", "\r").encode()),
    "UTF-16 from Excel": ("table.csv", PLAIN.encode("utf-16")),
    "big-endian UTF-16": ("table.csv", b"\xfe\xff" + PLAIN.encode("utf-16-be")),
    "semicolons and decimal commas, ng-csv#28": ("table.csv", GERMAN.encode()),
    "with what tells Excel the separator, IATI.cloud#1622": ("table.csv", b"sep=;\r\n" + GERMAN.encode()),
    "tabs": ("table.tsv", PLAIN.replace(",", "\t").encode()),
    "tabs named csv": ("table.csv", PLAIN.replace(",", "\t").encode()),
    "bars": ("table.csv", PLAIN.replace(",", "|").encode()),
    "packed": ("table.csv.gz", gzip.compress(PLAIN.encode())),
    "tabs, packed": ("table.TSV.gz", gzip.compress(PLAIN.replace(",", "\t").encode())),
    "quoted header": ("table.csv", PLAIN.replace("file,label", '"file","label"').encode()),
    "empty lines": ("table.csv", b"\n" + PLAIN.replace("\n", "\n\n").encode()),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_table_is_the_same_however_it_is_written(read, variant):
    name, content = VARIANTS[variant]
    assert read(content, name) == EXPECTED


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_what_separates_columns_is_found_where_none_of_them_is_needed(tmp_path, mark):
    (tmp_path / "t.csv").write_text(f"area{mark}rooms\n1{mark}2\n")
    assert read_csv(tmp_path / "t.csv", (), (), None).to_pydict() == {"area": [1], "rooms": [2]}


def test_a_letter_may_stand_in_two_pieces_of_a_file(read, monkeypatch):
    content = "file,label\n" + "".join(f"{number},{'é' * number}\n" for number in range(1, 9))
    for size in range(12, 20):  # the header is in the first piece
        monkeypatch.setattr("totalml.data.text_file.PIECE_BYTES", size)
        assert read(content)["label"] == ["é" * number for number in range(1, 9)]


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["007", "7"], ["007", "7"]),  # apache/arrow#46853, wireservice/csvkit#977
        (["7", "", "07"], ["7", "", "07"]),
        (["08028", "NA"], ["08028", "NA"]),
        (["00.5", "0.5"], ["00.5", "0.5"]),
        (["12345678901234567890", "12345678901234567891"],) * 2,  # tidyverse/readr#976
        (["9007199254740993", "1.5"], ["9007199254740993", "1.5"]),
        (["+007", "-7"], ["+007", "-7"]),
    ],
)
def test_what_a_number_would_merge_or_shorten_stays_text(read, cells, kept):
    rows = "".join(f"a,b,{cell}\n" for cell in cells)
    assert read("file,label,pub\n" + rows)["pub"] == kept


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["7", "0", "-3"], [7, 0, -3]),
        (["4.50", "0.5", ""], [4.5, 0.5, None]),
        (["1740245381351497730", "1740245381351497731"], [1740245381351497730, 1740245381351497731]),
        (["1e5", "0e0", "0"], [1e5, 0.0, 0.0]),
        (["3", "NA"], [3, None]),
    ],
)
def test_a_number_that_survives_stays_one(read, cells, kept):
    rows = "".join(f"a,b,{cell}\n" for cell in cells)
    assert read("file,label,x\n" + rows)["x"] == kept


def test_a_time_in_nanoseconds_is_no_identifier(read):
    assert read("file,label,when\na,b,01\n", timestamp="when")["when"] == [1]


@pytest.mark.parametrize("cells", [["1,5", "n/a"], ["1,234.5", "2"], ["1.234,5", "2,5"], ["", ""]])
def test_a_comma_is_no_decimal_sign_where_the_column_holds_anything_else(read, cells):
    found = read("file;label;x\n" + "".join(f"a;b;{cell}\n" for cell in cells))["x"]
    assert found == (cells if any(cells) else [None, None])


def test_decimal_commas_in_a_table_with_commas_are_text(read):
    assert read('file,label,x\na,b,"1,5"\n')["x"] == ["1,5"]


@pytest.mark.parametrize(("cell", "first", "last"), [("x", "1", "x"), ("2.5", 1.0, 2.5), ("", 1, None)])
def test_a_type_fits_the_last_rows_of_a_long_table_too(read, cell, first, last):
    found = read("file,label,x\n" + "a.jpg,label,1\n" * 80_000 + f"a.jpg,label,{cell}\n")["x"]
    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize("word", ["NA", "null", "true", "1", "0", "yes", "no", "None", "nan"])
def test_a_label_is_text_whatever_it_looks_like(read, word):  # gwmod/nlmod#563, chanzuckerberg/cellxgene#1115
    assert read(f"file;label\n1;{word}\n")["label"] == [word]


REFUSED = {
    "empty": (b"", r"is empty; expected a header"),
    "blank": (b"\r\n \n", r"is empty; expected a header"),
    "Latin-1": (
        "file,label\n1,a\n2,café\n".encode("latin-1"),
        r"not UTF-8: byte 0xe9 in line 3. If the line should read '2,café': iconv -f WINDOWS-1252 .*csv",
    ),
    "Latin-1 header": ("file,straße\n1,a\n".encode("latin-1"), r"byte 0xdf in line 1.*'file,straße'"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), r"holds zero bytes.*iconv -f UTF-16LE"),
    "Excel": (b"PK\x03\x04....", r"is an Excel or zip file; save the sheet as 'CSV UTF-8'"),
    "old Excel": (b"\xd0\xcf\x11\xe0....", r"is an Excel file; save"),
    "Parquet": (b"PAR1....", r"is a Parquet file; rename it"),
    "a quote without an end, FastCSV#173": (
        'file,label\n1,a\n2,"b\n3,c\n',
        r"has a quote in line 3 that is never closed",
    ),
    "half a letter at the end": ("file,label\n1,é".encode()[:-1], r"byte 0xc3 in line 2"),
    "such a quote in a long table": (
        'file,label\n1,"a\n' + "2,b\n" * 50_000,
        r"has a quote in line 2 that is never closed",
    ),
    "a comma too many": ("file,label\n1,a\n2,b,c\n", r"line 3 has 3 columns, the header 2: '2,b,c'; put a cell"),
    "a cell too few": ("file,label\n\n1\n2,b\n", r"line 3 has 1 columns, the header 2: '1'"),
}


@pytest.mark.parametrize("kind", ["empty", "blank"])
def test_a_table_without_a_header_is_told_by_whoever_asks_for_its_columns_alone(tmp_path, kind):
    content, message = REFUSED[kind]
    (path := tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(SnapshotError, match=message):
        column_names(path, ["file"])


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_told_with_its_line_and_the_mend(read, kind):
    content, message = REFUSED[kind]
    with pytest.raises(SnapshotError, match=message):
        read(content)


def test_a_damaged_packed_table_is_told(read):
    with pytest.raises(SnapshotError, match=r"cannot be unpacked.*pack it again"):
        read(gzip.compress(PLAIN.encode())[:-12], "table.csv.gz")


def test_a_quote_inside_a_cell_is_a_letter(read):
    assert read('file,label\n1,5" glass\n')["label"] == ['5" glass']
