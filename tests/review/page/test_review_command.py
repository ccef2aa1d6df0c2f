"""The commands: a page as a process of its own, that is killed and started again, and links that end."""

from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.projects import new_project
from tests.review.asked import MODEL
from tests.review.page.sites import pints
from tests.review.queues.traffic import keep_pictures, logged, remade, rows, seeing
from tests.serving.serving import PICTURE, promote
from totalml.cli import main
from totalml.errors import RecipeError
from totalml.labels import Labels, truth_of
from totalml.project import place_at
from totalml.release.named import find_of_model
from totalml.review import command
from totalml.review.item import table_of
from totalml.review.reviews import Reviews
from totalml.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    promote(store, remade(store, seeing(store), recipe_yaml=b"review: {overlap: 2}"))
    Reviews(store, MODEL).queue(table_of(pints(4)), "made-up pints")
    return store


@contextmanager
def page(store: Store) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and where it listens."""
    words = ["-m", "totalml.cli", "review", MODEL, "--port=0", f"--store={store.root}"]
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        lines = []
        while not (found := re.search(r"is judged on (http://[\d.:]+)", "".join(lines))):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        assert f"totalml review invite {MODEL} NAME --url {found[1]}" in "".join(lines)  # not where nobody listens
        yield process, found[1]
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def invited(store: Store, capsys: pytest.CaptureFixture[str], name: str = "eve") -> str:
    capsys.readouterr()
    assert main(["review", "invite", MODEL, name, f"--store={store.root}"]) == 0
    return capsys.readouterr().out.splitlines()[0].partition("/in/")[2]


def judge(client: httpx.Client) -> None:
    text = client.get("/").text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', text[text.index("<article") :]))
    assert client.post("/verdicts", data=form | {"label": "dark"}).status_code == 200


@pytest.mark.service
def test_a_page_that_is_killed_goes_on_and_ends_with_0_when_told_to(store, capsys):
    token = invited(store, capsys)
    with httpx.Client(verify=False, timeout=30) as client:
        for _ in range(2):
            with page(store) as (process, url):
                client.base_url = url
                assert client.get(f"/in/{token}").status_code == 200
                judge(client)
                process.send_signal(signal.SIGKILL)
        with page(store) as (process, url):
            client.base_url = url
            judge(client)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
    reviews = Reviews(store, MODEL)
    reviews.look()
    assert len({each.item for each in reviews.standing()}) == 3


def test_a_link_says_how_the_page_is_started_where_nothing_answers(store, capsys):
    def told(url: str) -> str:
        assert main(["review", "invite", MODEL, "eve", f"--store={store.root}", f"--url={url}"]) == 0
        return capsys.readouterr().out

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{(port := server.getsockname()[1])}"
        assert "answers" not in told(url)
    assert f"nothing answers there yet; the page is started by: totalml review {MODEL} --port {port}\n" in told(url)


def test_a_model_without_production_is_started_by_the_alias_that_there_is(tmp_path, capsys):
    store = Store(tmp_path / "store")
    bundle = remade(store, seeing(store))
    for alias in ("older", "candidate"):
        promote(store, bundle, alias)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    words = ["review", "invite", MODEL, "eve", f"--store={store.root}", f"--url=http://127.0.0.1:{port}"]
    assert main(words) == 0
    assert f"started by: totalml review {MODEL}@candidate --port {port}\n" in capsys.readouterr().out
    assert find_of_model(f"{MODEL}@candidate", store)[1].hash == bundle.hash  # so that command finds one
    with pytest.raises(RecipeError):
        find_of_model(MODEL, store)


def test_a_link_is_ended_by_its_name(store, capsys):
    token, reviews = invited(store, capsys), Reviews(store, MODEL)
    reviews.look()
    assert reviews.reviewer(token) == "eve"
    assert main(["review", "revoke", MODEL, "eve", f"--store={store.root}"]) == 0
    reviews.look()
    assert reviews.reviewer(token) is None
    assert main(["review", "revoke", MODEL, "evee", f"--store={store.root}"]) == 2
    assert "nobody called 'evee' is invited" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["invite", "pnts", "eve"], "did you mean 'pints'"),
        (["invite", MODEL, "eve", "--days=0"], "--days"),
        (["invite", MODEL, " "], "no reviewer's name"),
    ],
)
def test_mistakes_are_told(store, capsys, words, told):
    assert main(["review", *words, f"--store={store.root}"]) == 2
    assert told in capsys.readouterr().err


def test_a_model_that_there_is_not_is_told_in_the_same_words_by_each_verb(store, tmp_path, monkeypatch, capsys):
    new_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "tasks.json").write_text("[]")
    verbs = "{}|invite {} eve|revoke {} eve|queue {}|figures {}|label {}|export {} --out=v.json|import {} tasks.json"
    for verb in [*verbs.split("|"), "close-loop {}"]:
        assert main(["review", *verb.format("pnts").split(), f"--store={store.root}"]) == 2
        told = capsys.readouterr().err
        assert f"no model 'pnts' is registered in the store {store.root}, did you mean 'pints'?" in told, verb


@pytest.mark.parametrize("words", [["--port=99999"], ["--url=review.example.org"]])
def test_an_address_that_is_none_is_told(store, capsys, words):
    assert main(["review", MODEL, f"--store={store.root}", *words]) == 2
    assert words[0].partition("=")[0] in capsys.readouterr().err


def test_what_is_not_installed_is_told(store, capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert main(["review", MODEL, f"--store={store.root}"]) == 10
    assert "totalml[review]" in capsys.readouterr().err


def test_where_nothing_waits_the_queue_is_filled_by_what_the_release_of_now_has_answered(store, tmp_path):
    asked = argparse.Namespace(model=MODEL, url="")
    site, tend = command._site(asked, place_at(tmp_path, store=str(store.root)))
    waiting = site.desk.next("eve", 9)
    assert len(waiting) == 4
    new = remade(store, seeing(store), recipe_yaml=b"review: {overlap: 1}")
    promote(store, new)
    table = rows(8, new.hash)
    logged(store, table)
    keep_pictures(store, table)
    tend()
    assert site.desk.next("bob", 9) == waiting  # these come to two people each
    for who in ("eve", "bob"):
        for each in site.desk.next(who, 9):
            site.desk.give(who, f"{who}-{each.item}", each, {"label": {"label": "dark"}})
    tend()
    found = site.desk.next("eve", 99)
    assert {each.request_id for each in found if each.request_id} == {*table["request_id"].to_pylist()}
    told = site.shows.revealed(next(each for each in found if each.release == new.hash and each.answer))
    assert "The model says" in told.answer
    labels = Labels(store, MODEL, truth_of(PICTURE)).read()
    assert {*labels["request_id"].to_pylist()} == {each.request_id for each in waiting}
    assert site.shows.revealed(waiting[0]) is None  # of a release that is not in this store
