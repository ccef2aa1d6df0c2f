"""A smoke run says so wherever its figures stand, so that nobody takes them for a failure; no other run does."""

import re

import pytest

from tests.report.test_report_closing import REPORT
from tests.report.test_report_model_card import card_of
from totalml.report import closing_table
from totalml.report.page import render

SENTENCE = "it proves that everything works; its figures mean nothing"


@pytest.mark.parametrize("smoke", [True, False], ids=["smoke", "other"])
def test_the_head_of_the_page_says_so(content_of, smoke):
    page = render(content_of(smoke=smoke)).decode()
    (head,) = re.findall(r"<header>.*?</header>", page, re.DOTALL)
    assert page.count(SENTENCE) == head.count(SENTENCE) == smoke


@pytest.mark.parametrize("smoke", [True, False], ids=["smoke", "other"])
def test_the_model_card_says_so_before_any_figure(content_of, smoke):
    card = card_of(content_of(smoke=smoke))
    before = card.partition("## What it does")[0]
    assert card.count(SENTENCE) == before.count(SENTENCE) == smoke


@pytest.mark.parametrize("smoke", [True, False], ids=["smoke", "other"])
def test_the_closing_table_says_so_beside_the_report(content_of, smoke):
    content = content_of()
    rows = closing_table(content.evaluation.as_json(), content.seconds, {}, REPORT, smoke=smoke)
    assert (("This is a smoke run", "", SENTENCE) in rows[-2:]) == smoke
