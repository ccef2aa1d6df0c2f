"""The page without any script: what a reviewer sees before and after a verdict, and what strangers do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.review.asked import MODEL
from tests.review.page.sites import CONTROL, SETTINGS, Reviewer, pints, site_of
from tests.serving.serving import LABELS, NUMBERS
from totalml.review.item import GOLD, table_of
from totalml.review.page.form import LONGEST_BODY
from totalml.review.page.session import Limit
from totalml.review.reviews import Reviews
from totalml.store import Store


@pytest.fixture
def site(tmp_path: Path):
    return site_of(tmp_path / "store", pints(3))


@pytest.fixture
def eve(site) -> Reviewer:
    return Reviewer(site).sign_in()


def test_the_model_is_not_seen_before_the_verdict_and_is_after_it(eve):
    before = eve.client.get("/").text
    assert "Is this a good pint?" in before
    assert "almost sure" not in before
    assert "0.9" not in before
    item = eve.fields(before)["item"]
    for name in ("map", "like0"):
        assert eve.client.get(f"/pictures/{item}/{name}").status_code == 404
    after = eve.judge(label="light").text
    assert "A bad pint. It is almost sure." in after
    assert "A good pint" in after
    for name in ("map", "like0", "like1"):
        assert eve.client.get(f"/pictures/{item}/{name}").headers["content-type"] == "image/png"
    stands = eve.site.desk.reviews.standing()
    assert [(each.who, each.item, each.answer) for each in stands] == [("eve", item, {"label": {"label": "light"}})]
    assert stands[0].shown == {"release": "blake3:" + "a" * 64, "queue": "uncertain", "blind": True}


@pytest.mark.parametrize("queue", [CONTROL, GOLD])
def test_what_is_judged_blind_stays_blind(tmp_path, queue):
    eve = Reviewer(site_of(tmp_path / "store", pints(2, queue))).sign_in()
    item = eve.fields()["item"]
    answer = eve.judge(label="light")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert eve.client.get(f"/pictures/{item}/map").status_code == 404
    assert eve.client.get(f"/pictures/{item}/like0").status_code == 404
    assert "almost sure" not in eve.client.get("/").text


def test_the_queue_of_an_item_can_be_told_from_nothing(tmp_path):
    pages = []
    for queue in (CONTROL, "uncertain", GOLD):
        eve = Reviewer(site_of(tmp_path / queue, pints(1, queue))).sign_in()
        pages.append(re.sub(r"[0-9a-f]{64}|[0-9a-f]{32}", "", eve.client.get("/").text))  # keys, made anew for each
    assert len({*pages}) == 1
    assert "Is this a good pint?" in pages[0]


@pytest.mark.parametrize(("queue", "blind"), [("uncertain", False), (CONTROL, True)])
def test_a_verdict_after_the_answer_was_shown_is_not_called_blind(tmp_path, queue, blind):
    eve = Reviewer(site_of(tmp_path / "store", pints(1, queue))).sign_in()
    first = eve.fields() | {"label": "light"}
    for _ in range(2):
        eve.client.post("/verdicts", data=first)
    undone = eve.client.post("/undo", data={"form_key": first["form_key"]}).text
    eve.client.post("/verdicts", data=eve.fields(undone) | {"label": "dark"})
    said = eve.site.desk.reviews.entries
    assert [each.shown["blind"] for each in (said[0], said[-1])] == [True, blind]


@pytest.mark.parametrize("key", ["x", "x" * 60_000, ""])
def test_a_key_of_undo_is_one_of_ours(eve, key):
    form_key = eve.fields()["form_key"]
    eve.judge(label="dark")
    assert eve.client.post("/undo", data={"form_key": form_key, "key": key}).status_code == 400
    assert len(eve.site.desk.reviews.entries) == 1


def test_where_it_should_have_looked_is_kept_with_the_verdict(eve):
    page = eve.judge(label="light").text
    answer = eve.client.post("/remarks", data=eve.fields(page) | {"at": "0.25,0.75"})
    assert answer.status_code == 303
    verdict = eve.site.desk.reviews.standing()[0]
    assert [each.at for each in eve.site.desk.reviews.remarks(verdict.key)] == [[0.25, 0.75]]
    assert eve.client.post("/remarks", data=eve.fields(page) | {"at": "2,0", "key": "other-key"}).status_code == 400


def test_cannot_tell_and_something_else_are_answers_too(eve):
    eve.judge(cannot_tell="too dark", comment="the flash <script>")
    eve.judge(wrong_subject="1")
    said = [(each.answer, each.comment) for each in eve.site.desk.reviews.standing()]
    assert said == [({"cannot_tell": "too dark"}, "the flash <script>"), ({"wrong_subject": True}, "")]


@pytest.mark.parametrize("said", [{}, {"label": "drak"}, {"cannot_tell": "no idea"}, {"label": ""}])
def test_what_is_no_answer_is_told_and_not_kept(eve, said):
    answer = eve.judge(**said)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert eve.site.desk.reviews.entries == []


def test_numbers_and_several_labels_are_asked_as_such(tmp_path):
    eve = Reviewer(site_of(tmp_path / "numbers", pints(2), signature=NUMBERS)).sign_in()
    assert eve.client.get("/").text.count('type="number"') == 2
    assert eve.judge(**{"label:dark": "1,5", "label:light": "2"}).status_code == 200
    assert eve.judge(**{"label:dark": "much", "label:light": "2"}).status_code == 400
    assert [each.label for each in eve.site.desk.reviews.standing()] == [{"dark": 1.5, "light": 2.0}]
    bob = Reviewer(site_of(tmp_path / "labels", pints(2), signature=LABELS), "bob").sign_in()
    assert bob.judge(label=["dark", "light"]).status_code == 200
    assert bob.judge(send="1").status_code == 200  # none applies
    assert [[*each.label.values()] for each in bob.site.desk.reviews.standing()] == [[["dark", "light"]], [[]]]


@pytest.mark.parametrize("ask", ["explanation", "slice", "plan", "curve"])
def test_other_questions_are_answered_by_yes_or_no(tmp_path, ask):
    eve = Reviewer(site_of(tmp_path / "store", pints(2, ask=ask, sample="s", note="dim light"))).sign_in()
    page = eve.client.get("/").text
    item = eve.fields(page)["item"]
    assert eve.client.get(f"/pictures/{item}/map").status_code == (200 if ask == "explanation" else 404)
    assert eve.judge(agrees="no").status_code in (200, 303)
    assert [each.answer for each in eve.site.desk.reviews.standing()] == [{"agrees": False}]


def test_all_that_comes_from_data_is_text(tmp_path):
    nasty = '"><script>alert(1)</script>'
    settings = SETTINGS.model_copy(
        update={"words": {"dark": nasty}, "hint": nasty, "question": nasty, "reasons": (nasty,)}
    )
    item = pints(1)[0]
    items = [type(item)(**{**vars(item), "facts": {"pub": nasty}, "note": nasty})]
    eve = Reviewer(site_of(tmp_path / "store", items, settings), 'e"><script>').sign_in()
    for page in (eve.client.get("/").text, eve.judge(label="dark").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert 'e"><script>' not in page


def test_a_page_may_use_nothing_but_this_service(eve):
    for path in ("/", "/nowhere", "/in/nobody", "/cards", f"/pictures/{eve.fields()['item']}/0"):
        headers = eve.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
    cookie = eve.client.get(f"/in/{eve.token}").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie


def test_behind_tls_the_cookie_goes_over_tls_alone(tmp_path):
    eve = Reviewer(site_of(tmp_path / "store", pints(1), secure=True))
    assert "Secure" in eve.client.get(f"/in/{eve.token}").headers["set-cookie"]


PATHS = ["/", "/cards", "/pictures/x/0", "/figures"]
FORMS = ["/verdicts", "/remarks", "/undo", "/out"]


@pytest.mark.parametrize("path", PATHS + FORMS)
def test_nobody_gets_in_without_an_invitation_that_stands(site, path):
    eve = Reviewer(site)

    def asked() -> int:
        return (eve.client.post if path in FORMS else eve.client.get)(path).status_code

    assert asked() == 401
    eve.client.cookies.set("review", "x" * 500)
    assert asked() == 401
    eve.client.cookies.clear()
    eve.sign_in()
    assert asked() != 401
    site.desk.reviews.revoke("eve")
    assert asked() == 401


def test_an_invitation_made_by_another_process_works_and_ends_with_the_next_look(site, tmp_path):
    other = Reviews(Store(tmp_path / "store"), MODEL)
    token = other.invite("bob", 1)
    eve = Reviewer(site)
    assert eve.client.get(f"/in/{token}").status_code == 200
    assert eve.client.get("/").status_code == 200
    other.revoke("bob")
    site.desk.look()
    assert eve.client.get("/").status_code == 401


def test_a_form_of_another_site_is_refused(eve):
    fields = eve.fields() | {"label": "dark"}
    elsewhere = eve.client.post("/verdicts", data=fields, headers={"Origin": "https://evil.example"})
    without = eve.client.post("/verdicts", data={**fields, "form_key": ""})
    forged = eve.client.post("/verdicts", data={**fields, "form_key": "0" * 64})
    assert [each.status_code for each in (elsewhere, without, forged)] == [403] * 3
    assert eve.site.desk.reviews.entries == []
    assert eve.client.post("/verdicts", data=fields, headers={"Origin": "http://pub.example"}).status_code == 200


def test_behind_a_proxy_that_names_another_host_its_own_pages_are_taken_and_no_others(tmp_path):
    eve = Reviewer(site_of(tmp_path / "store", pints(1), url="https://review.example.org/")).sign_in()
    fields = eve.fields() | {"label": "dark"}
    origins = ("https://evil.example.org", "https://review.example.org")
    answers = [eve.client.post("/verdicts", data=fields, headers={"Origin": each}).status_code for each in origins]
    assert answers == [403, 200]


def test_undo_that_is_sent_twice_from_one_page_takes_back_one(eve):
    for _ in range(2):
        eve.judge(label="dark")
    bar = eve.client.get("/").text.partition("Undo")[0]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', bar))
    for _ in range(2):
        eve.client.post("/undo", data=fields)
    assert len(eve.site.desk.reviews.standing()) == 1


def test_one_reviewer_sees_nothing_of_what_another_has(tmp_path):
    site = site_of(tmp_path / "store", pints(2))
    eve, bob = Reviewer(site).sign_in(), Reviewer(site, "bob").sign_in()
    hers, his = eve.fields(), bob.fields()
    assert hers["item"] != his["item"]
    assert bob.client.get(f"/pictures/{hers['item']}/0").status_code == 404
    assert bob.client.post("/verdicts", data=his | {"item": hers["item"], "label": "dark"}).status_code == 404
    page = eve.judge(label="dark").text
    stolen = eve.fields(page) | {"form_key": his["form_key"], "at": "0.5,0.5"}
    assert bob.client.post("/remarks", data=stolen).status_code == 404
    taken_back = bob.client.post("/undo", data={"form_key": his["form_key"], "key": "undo-00001"})
    assert taken_back.status_code == 303
    assert len(site.desk.reviews.standing()) == 1


@pytest.mark.parametrize("name", ["1", "-1", "0x0", "..%2f..%2fsecret", "%00", "9" * 30, "\u0661", "like9"])
def test_only_pictures_of_the_item_are_sent(eve, name):
    assert eve.client.get(f"/pictures/{eve.fields()['item']}/{name}").status_code == 404


def test_a_picture_that_was_deleted_is_told_and_the_rest_goes_on(eve):
    eve.site.shows.gone.add("pint-0")
    item = eve.fields()["item"]
    assert eve.client.get(f"/pictures/{item}/0").status_code == 404
    assert eve.judge(cannot_tell="too dark").status_code == 200


def test_what_is_too_long_or_no_form_is_refused(eve):
    fields = eve.fields()
    assert eve.client.post("/verdicts", data=fields | {"comment": "x" * LONGEST_BODY}).status_code == 413
    assert eve.client.post("/verdicts", content=b"\xff\xfe").status_code == 400
    assert eve.client.post("/verdicts", content="&".join(f"a{n}=1" for n in range(300))).status_code == 400
    assert eve.judge(label="dark", comment="x" * 3000, seconds="nan").status_code == 200
    stands = eve.site.desk.reviews.standing()[0]
    assert (len(stands.comment), stands.seconds) == (2000, 0.0)


def test_whoever_tries_tokens_is_stopped_for_a_while(tmp_path):
    now = [0.0]
    strangers = Limit(burst=3, per_second=0.1, clock=lambda: now[0])
    eve = Reviewer(site_of(tmp_path / "store", pints(1), strangers=strangers))
    assert [eve.client.get(f"/in/guess-{n}").status_code for n in range(5)] == [401, 401, 401, 429, 429]
    assert eve.client.get("/").status_code == 429
    now[0] = 10.0
    assert [eve.client.get(path).status_code for path in ("/in/guess", "/in/guess")] == [401, 429]


def test_a_stranger_shuts_out_nobody_who_comes_from_the_same_address(tmp_path):
    site = site_of(tmp_path / "store", pints(2), strangers=Limit(burst=3, per_second=0.0, clock=lambda: 0.0))
    eve, bob = Reviewer(site).sign_in(), Reviewer(site, "bob")
    assert [bob.client.get(f"/in/guess-{n}").status_code for n in range(4)] == [401, 401, 401, 429]
    assert eve.judge(label="dark").status_code == 200
    assert bob.sign_in().judge(label="light").status_code == 200


def test_a_reviewer_who_is_faster_than_a_person_waits(tmp_path):
    calls = Limit(burst=2, per_second=1, clock=lambda: 0.0)
    eve = Reviewer(site_of(tmp_path / "store", pints(1), calls=calls)).sign_in()
    assert [eve.client.get("/").status_code for _ in range(4)] == [200, 200, 429, 429]


def test_a_verdict_is_bound_to_its_page_also_after_a_restart(tmp_path):
    eve = Reviewer(site_of(tmp_path / "store", pints(3))).sign_in()
    fields = eve.fields() | {"label": "dark"}
    again = site_of(tmp_path / "store", pints(3))  # the same batch: nothing is queued twice
    restarted = Reviewer.__new__(Reviewer)
    restarted.site, restarted.client = again, eve.client.__class__(again.app(), base_url="http://pub.example")
    restarted.client.cookies = eve.client.cookies
    assert restarted.client.get("/").status_code == 200
    assert restarted.client.post("/verdicts", data=fields).status_code == 200
    assert len(again.desk.reviews.standing()) == 1


def test_nothing_waits_is_told(tmp_path):
    eve = Reviewer(site_of(tmp_path / "store", pints(1))).sign_in()
    eve.judge(label="dark")
    assert "Nothing waits for you" in eve.client.get("/").text
    eve.site.desk.reviews.queue(table_of(pints(2)), "more")
    eve.site.desk.look()
    assert "Is this a good pint?" in eve.client.get("/").text


def test_signed_out_nobody_judges_in_that_name(eve):
    fields = eve.fields()
    eve.client.post("/out", data={"form_key": fields["form_key"]})
    assert eve.client.get("/").status_code == 401


def test_a_mistake_of_ours_shows_no_traceback(eve, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise RuntimeError("secret path /etc")

    monkeypatch.setattr(eve.site.desk, "next", broken)
    answer = eve.client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "RuntimeError" in capsys.readouterr().err


def test_what_the_others_say_is_shown_to_who_has_judged_what_waits(tmp_path):
    from totalml.report.markup import Html

    eve = Reviewer(site_of(tmp_path / "store", pints(1), figures=lambda: Html("<p>everybody</p>"))).sign_in()
    assert eve.client.get("/figures").status_code == 403
    eve.judge(label="dark")
    assert 'href="/figures"' in eve.client.get("/").text
    answer = eve.client.get("/figures")
    assert answer.text == "<p>everybody</p>"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src data:")
    assert Reviewer(site_of(tmp_path / "none", pints(1)), "bob").sign_in().client.get("/figures").status_code == 404
