"""Files as tables of other people and systems name them."""

import re
import unicodedata
from pathlib import Path

import pytest

from totalml.data.listed_files import ListedFiles

FORMS = {form: unicodedata.normalize(form, "café/Ünï.jpg") for form in ("NFC", "NFD")}


@pytest.fixture
def root(tmp_path) -> Path:
    for name in ("cat/1.jpg", "cat/Two.JPG", "with space/3 .jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize("there", FORMS)
@pytest.mark.parametrize("listed", FORMS)
def test_a_name_is_found_in_either_unicode_form(tmp_path, there, listed):  # llmsresearch/paperbanana#234
    (tmp_path / FORMS[there]).parent.mkdir()
    (tmp_path / FORMS[there]).write_bytes(b"x")
    name, path, _ = ListedFiles(tmp_path).find(FORMS[listed])
    assert name == FORMS["NFC"]
    assert path.read_bytes() == b"x"


def test_forms_may_be_mixed_within_a_name(tmp_path):
    there = FORMS["NFC"].split("/")[0] + "/" + FORMS["NFD"].split("/")[1]
    (tmp_path / there).parent.mkdir()
    (tmp_path / there).write_bytes(b"x")
    name, path, _ = ListedFiles(tmp_path).find(FORMS["NFD"])
    assert (name, path) == (FORMS["NFC"], tmp_path / there)


@pytest.mark.parametrize("file", [r"cat\1.jpg", r".\cat\1.jpg", r"cat\\1.jpg", "cat//1.jpg", "./cat/../cat/1.jpg"])
def test_folders_may_be_written_as_on_windows(root, file):  # abbyy/barcode_detection_benchmark#2
    assert ListedFiles(root).find(file)[:2] == ("cat/1.jpg", root / "cat/1.jpg")


def test_a_backslash_in_a_real_name_stays_one(root):
    (root / r"cat\1.jpg").write_bytes(b"y")
    assert ListedFiles(root).find(r"cat\1.jpg")[:2] == (r"cat\1.jpg", root / r"cat\1.jpg")


@pytest.mark.parametrize("file", [r"..\out.jpg", r"cat\..\..\out.jpg"])
def test_a_backslash_leads_nowhere_outside_the_root(root, file):
    (root.parent / "out.jpg").write_bytes(b"x")
    assert ListedFiles(root).find(file)[1] is None


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("cat/2.jpg", r"missing: .*/cat/2.jpg$"),
        ("cat/two.jpg", r"missing: .*; there is 'cat/Two.JPG'$"),
        ("cat/1.jpg ", r"; there is 'cat/1.jpg'$"),
        (r"C:\photos\1.jpg", "a path of Windows; write it relative to the root"),
        (r"\\server\photos\1.jpg", "a path of Windows"),
        ("https://example.org/1.jpg", "a URL; download it below the root"),
        ("/elsewhere/1.jpg", "outside the root .*; set data.source.root to a folder above it"),
        ("cat/\0.jpg", "not valid text"),
    ],
)
def test_what_is_not_there_is_told_with_what_was_meant(root, file, reason):
    _, path, told = ListedFiles(root).find(file)
    assert path is None
    assert re.search(reason, told)


def test_absolute_names_may_follow_a_link_to_the_root_or_not(root, tmp_path):
    linked = tmp_path.parent / f"{tmp_path.name} link"
    linked.symlink_to(root)
    for by, named in ((linked, root), (root, root), (linked, linked)):
        assert ListedFiles(by).find(f"{named}/cat/1.jpg")[:2] == ("cat/1.jpg", by / "cat/1.jpg")
