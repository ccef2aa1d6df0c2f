import re
from html.parser import HTMLParser

import numpy as np
import pytest

from totalml.quality import Finding, QualityReport
from totalml.report import write_report
from totalml.report.page import LIMIT_BYTES, render

NASTY = "<script>alert('x')</script>\"'&</style>"


class Page(HTMLParser):
    """Collects elements, and fails on ends that match no start."""

    VOID = frozenset({"img", "meta", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(content):
    return Page(render(content).decode())


def words_of(content):
    return " ".join("".join(page_of(content).text).replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_the_report_is_one_file(tmp_path, content_of):
    path = write_report(tmp_path, content_of())
    assert path == tmp_path / "report.html"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert path.read_bytes().startswith(b'<!doctype html>\n<html lang="en">')


def test_the_same_content_gives_the_same_bytes(content_of):
    assert render(content_of()) == render(content_of())


def test_every_end_matches_its_start_and_every_id_is_unique(content_of):
    page = page_of(content_of(gold_noise=0.1, skipped={"x.jpg": "truncated"}))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for attributes in page.all("a")}
    assert links <= {f"#{id_}" for id_ in ids}


def test_nothing_is_fetched_from_anywhere(content_of):
    page = page_of(content_of(recipe_yaml="root: https://example.org/data", classes=("bad", "http://good")))
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
        assert "url(" not in attributes.get("style", "")
        assert not any(name.startswith("on") for name in attributes)
    assert {"script", "iframe", "object", "embed", "base", "form"}.isdisjoint(tag for tag, _ in page.elements)
    [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    style = re.search(rb"<style>(.*?)</style>", render(content_of()), re.DOTALL)[1]
    assert b"url(" not in style
    assert b"@import" not in style


def test_what_strangers_wrote_stays_text(content_of):
    content = content_of(
        classes=(NASTY, "good"),
        ids=[f"{NASTY}{k}" for k in range(60)],
        name=NASTY,
        description=f"{NASTY}\n{NASTY}",
        command=NASTY,
        recipe_yaml=NASTY,
        run_id=NASTY,
        environment={NASTY: NASTY},
        seconds={NASTY: 1.0},
        split_counts={NASTY: {"train": 1}},
        skipped={NASTY: NASTY},
        quality=QualityReport((NASTY,), (Finding(NASTY, "warn", NASTY, (NASTY,)),)),
    )
    page = page_of(content)
    assert page.all("script") == []
    assert len(page.all("style")) == 1
    assert b"<script" not in render(content)
    assert NASTY in "".join(page.text)


@pytest.mark.parametrize("value", ["a\x00b", "\u202egpj.exe", "two\nlines", "\U0001f37a", ""])
def test_odd_names_are_written(content_of, value):
    text = render(content_of(ids=[value] * 60, classes=(value, "good"), skipped={value: value})).decode("utf-8")
    assert "\x00" not in text
    Page(text)


def test_half_a_character_is_written(content_of):
    Page(render(content_of(command="\ud800", environment={"\ud800": "\ud800"})).decode("utf-8"))


def test_pictures_take_what_the_text_leaves(content_of):
    # Noise is what compresses worst.
    content = content_of(classes=tuple("abcdefghijklmnop"), samples=400, right=0.4, image_px=160)
    page = render(content)
    assert 0.6 * LIMIT_BYTES < len(page) < LIMIT_BYTES
    assert len(Page(page.decode()).all("img")) == 6 + 10 + 12 * 8


def test_a_page_of_many_classes_and_long_names_stays_within_the_limit(content_of):
    classes = tuple(f"class {k} " + "long name " * 30 for k in range(300))
    content = content_of(
        classes=classes,
        samples=900,
        ids=[f"{k} " + "\N{BEER MUG}" * 200 for k in range(900)],
        bootstrap=5,
        recipe_yaml="key: value\n" * 50_000,
        environment={f"package {k}": "1" * 500 for k in range(2000)},
        skipped={f"skipped {k}": "reason " * 500 for k in range(5000)},
        quality=QualityReport(
            ("MissingValues",), (Finding("MissingValues", "warn", "message " * 900, ("id" * 500,) * 10),) * 200
        ),
        image_px=128,
    )
    page = render(content)
    assert len(page) < LIMIT_BYTES
    assert Page(page.decode()).all("img")


def test_text_that_leaves_no_room_is_left_out_by_section(content_of, monkeypatch):
    monkeypatch.setattr("totalml.report.reproduction.LONGEST_RECIPE", 10**7)
    content = content_of(recipe_yaml='"' * 600_000)
    page = Page(render(content).decode())
    text = "".join(page.text)
    assert "Left out, because it would make this page too large" in text
    assert "What is taken for what" in text
    assert "python run.py +recipe=pints" not in text
    assert page.all("img")


def test_every_picture_has_a_text_and_its_size(content_of):
    images = page_of(content_of()).all("img")
    assert images
    for image in images:
        assert image["src"].startswith("data:image/webp;base64,")
        assert re.fullmatch(r"Sample s\d+: label (bad|good), the model says (bad|good)", image["alt"])
        assert image["width"] == image["height"] == "32"


def test_the_right_picture_stands_beside_its_prediction(content_of):
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    shades = np.linspace(0, 255, 60).astype(np.uint8)
    rows = np.arange(60)[::-1]
    content = content_of(rows=rows, pictures=lambda asked: np.tile(shades[asked][:, None, None, None], (1, 16, 16, 3)))
    for image in page_of(content).all("img"):
        place = int(re.match(r"Sample s(\d+)", image["alt"])[1])
        picture = Image.open(BytesIO(b64decode(image["src"].partition(",")[2]))).convert("RGB")
        assert picture.getpixel((8, 8))[0] == pytest.approx(float(shades[rows[place]]), abs=6)


def test_tables_can_be_read_aloud(content_of):
    page = page_of(content_of(skipped={"x.jpg": "truncated"}))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    plots = [one for one in page.all("svg") if one.get("role") == "img"]
    assert len(plots) == 3
    assert all(one["aria-label"] for one in plots)


def test_without_images_the_page_speaks_of_samples(content_of):
    text = words_of(content_of(image_px=None))
    assert "test samples" in text
    assert "picture" not in text.lower()
    assert page_of(content_of(image_px=None)).all("img") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": 1},
        {"right": 1.0},
        {"right": 0.0},
        {"bootstrap": 0},
        {"history": ()},
        {"description": ""},
        {"seconds": {}},
        {"split_counts": {}},
        {"environment": {}},
        {"quality": QualityReport((), ())},
        {"classes": tuple("abcdefghijklmnopqrstuvwxyz"), "samples": 30},
        {"gold_noise": 1.0},
        {"image_px": 3},
    ],
)
def test_sparse_content_is_still_a_page(content_of, changes):
    text = words_of(content_of(**changes))
    assert "nan" not in text.lower().replace("nan-", "").split()
    assert "None" not in text


def test_curves_survive_a_loss_that_is_no_number(content_of, history_of):
    history = history_of(0.5, float("nan"), float("inf"), 0.4)
    page = render(content_of(history=history, best_epoch=4)).decode()
    paths = re.findall(r' d="([^"]*)"', page)
    assert paths
    assert not any("nan" in path or "inf" in path for path in paths)


def test_a_long_training_stays_a_light_page(content_of, history_of):
    long = render(content_of(history=history_of(*np.linspace(1, 0.1, 20_000)), best_epoch=19_999))
    assert len(long) < len(render(content_of())) + 40_000
