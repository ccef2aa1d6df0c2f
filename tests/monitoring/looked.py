"""Sixty days of a monitor as if they had been: quiet, a season, a new glass, a broken camera, an alert that is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from math import log
from typing import Any

import numpy as np

from totalml.alerts.finding import Sample
from totalml.monitoring.cause import RIGHT, UNDECIDED, WRONG, judge
from totalml.monitoring.history import Looked
from totalml.monitoring.page import KeptPicture, MonitorContent, Season
from totalml.monitoring.verdict import (
    OF_LABELS,
    OF_QUALITY,
    OF_SEASON,
    OF_SLICES,
    OF_STREAM,
    OF_WINDOW,
    Evidence,
    Verdict,
)
from totalml.recipe.monitoring import MonitoringRecipe

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RELEASES = ("blake3:" + "4f1c2a9b" * 8, "blake3:" + "77d0e3a1" * 8)
BUDGET = 2 * 0.25 / 365.25  # the chance that a test of a day may take for an alarm
LEVEL = log(1.6e5)  # rows between two false alarms of a test that adds up

GLASS = (20, 27)  # days of which the glass is new
CAMERA = (31, 34)  # of which a camera is broken
WEEK = (42, 49)  # of St Patrick
HABIT = 55  # from when one age group judges otherwise
MOVES = {
    "glass": [
        ("embedding", "MMD", 0.081, 0.0001, None, None, ""),
        ("property:aspect_of_glass", "KS", 0.44, 0.0002, 1.82, 1.41, ""),
        ("metadata:glass", "chi-square", 212.0, 0.0002, 0.0, 0.38, "goblet"),
        ("answer:p:good", "KS", 0.12, 0.034, 0.71, 0.66, ""),
    ],
    "camera": [
        ("property:brightness", "KS", 0.61, 0.0001, 0.43, 0.18, ""),
        ("property:noise", "KS", 0.52, 0.0001, 0.02, 0.09, ""),
    ],
    "season": [("metadata:pub", "chi-square", 94.0, 0.0003, 0.06, 0.21, "The Harp")],
}
STATISTICS = ("name", "statistic", "value", "p", "before", "now", "of")


def sixty_days(**others: Any) -> MonitorContent:
    looked = [day(number) for number in range(60)]
    since, until = str(looked[WEEK[0]].start), str(looked[WEEK[1]].start)
    alert = {
        "id": "guinness-0007",
        "verdict": "concept",
        "severity": "page",
        "sentence": looked[-1].verdict.told,
        "since": looked[HABIT].start,
        "state": "open",
    }
    given: dict[str, Any] = {
        "model": "guinness",
        "since": FIRST,
        "until": FIRST + 60 * DAY,
        "looked": looked,
        "settings": MonitoringRecipe(unit="uploader", populations=("camera",), slices=("age_group",)),
        "rows_per_day": 220.0,
        "deployment": "deployments/guinness.yaml",
        "alerts": [alert],
        "seasons": [Season("St Patrick's week", since, until)],
        "pictures": pictures(),
    }
    return MonitorContent(**{**given, **others})


def day(number: int) -> Looked:
    chance = np.random.default_rng(number)
    rows = int(chance.poisson(420 if WEEK[0] <= number < WEEK[1] else 160))
    few = number == 8
    rows = 14 if few else rows
    season = "St Patrick's week" if WEEK[0] <= number < WEEK[1] else ""
    glass, camera, habit = GLASS[0] <= number < GLASS[1], CAMERA[0] <= number < CAMERA[1], number >= HABIT
    verdict = judge(
        [
            _quality(camera, number, chance),
            _labels(glass, habit, number, chance),
            *([_slices()] if habit else []),
            _window(glass or camera, bool(season), few, number, chance, "camera" if camera else "glass"),
            _stream(glass, number, chance),
            *([Evidence(OF_SEASON, False, "it looks like last year's", 0.31, BUDGET)] if season else []),
        ],
        season,
    )
    release = RELEASES[number >= 36]
    return window(number, verdict, rows, int(rows * 0.12), release)


def window(
    number: int, verdict: Verdict, rows: int = 100, labels: int = 0, release: str = RELEASES[0], length: timedelta = DAY
) -> Looked:
    start, end = (FIRST + each * length for each in (number, number + 1))
    samples = tuple(Sample(f"request-{number}-{each}", "0") for each in verdict.rows)
    return Looked(release, start.isoformat(), start.isoformat(), end.isoformat(), rows, labels, verdict, "", samples)


def at(number: int) -> str:
    return (FIRST + number * DAY).isoformat()


def pictures(count: int = 12, draw: Callable[[int], bytes] | None = None) -> Sequence[KeptPicture]:
    draw = draw or pint
    said = ("good, 71 %", "bad, 64 %", "good, 58 %")
    return [KeptPicture(draw(each), f"req-{each:04x}-7b21", said[each % 3], at(59)) for each in range(count)]


def pint(number: int) -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (120, 160), (70 + 9 * number, 50, 40))
    drawn = ImageDraw.Draw(picture)
    drawn.polygon([(35, 30), (85, 30), (78, 140), (42, 140)], fill=(24, 14, 10))
    drawn.polygon([(35, 30), (85, 30), (83, 52), (37, 52)], fill=(240, 228, 200))
    file = BytesIO()
    picture.save(file, "PNG" if number % 2 else "JPEG")
    return file.getvalue()


def _quality(camera: bool, number: int, chance: np.random.Generator) -> Evidence:
    if camera:
        told = "71 % of the pictures of camera 'pixel-4' are darker than any of the reference"
        moved = ("property:brightness", "metadata:camera=pixel-4")
        began = (at(CAMERA[0] - 1), at(number))
        fault = {"words": told, "share": 0.22, "expected": 0.01, "p": 1e-9, "certain": False}
        return Evidence(OF_QUALITY, True, told, 1e-9, BUDGET, moved, at(CAMERA[0]), began, facts={"faults": [fault]})
    return Evidence(OF_QUALITY, False, "all that came is as it should be", float(chance.uniform(0.02, 1)), BUDGET)


def _labels(glass: bool, habit: bool, number: int, chance: np.random.Generator) -> Evidence:
    facts: Mapping[str, Any] = {"model": UNDECIDED if number < 12 else RIGHT}
    if glass and number < GLASS[0] + 3:
        facts = {"model": UNDECIDED, "labels_wanted": 40}
    if habit:
        facts = {"model": WRONG}
        told = "14 % of the answers that were labelled are wrong, against 5 % in the validation"
        bounds = (at(HABIT - 2), at(HABIT + 1))
        grown = LEVEL + 0.7 + (number - HABIT) * 0.6
        return Evidence(OF_LABELS, True, told, grown, LEVEL, (), at(HABIT - 1), bounds, facts=facts)
    told = "5 % of the labelled answers are wrong, as in the validation"
    return Evidence(OF_LABELS, False, told, float(chance.uniform(-1, 4)), LEVEL, facts=facts)


def _slices() -> Evidence:
    facts = {"slices": [{"name": "age_group=18-25", "bound": 0.08, "labels": 61}]}
    return Evidence(OF_SLICES, True, "it errs more where age_group=18-25", moved=("age_group=18-25",), facts=facts)


def _window(moved: bool, season: bool, few: bool, number: int, chance: np.random.Generator, kind: str) -> Evidence:
    if few:
        return Evidence(OF_WINDOW, False, "too few rows to hold against the reference", more=36)
    if not moved and not season:
        return Evidence(OF_WINDOW, False, "it looks like the reference", float(chance.uniform(0.003, 1)), BUDGET)
    kind = "season" if season else kind
    moves = [dict(zip(STATISTICS, each, strict=True)) for each in MOVES[kind]]
    told = f"{len(moves)} of 19 columns moved, {moves[0]['name']} most"
    names = tuple(str(each["name"]) for each in moves)
    since = {"season": WEEK, "glass": GLASS, "camera": CAMERA}[kind][0]
    shown = tuple(range(12))
    return Evidence(OF_WINDOW, True, told, 1e-4, BUDGET, names, at(since), rows=shown, facts={"moves": moves})


def _stream(glass: bool, number: int, chance: np.random.Generator) -> Evidence:
    if glass:
        grown = 4.6 + (number - GLASS[0]) * 2.5
        facts = {"moves": [{"name": "embedding 1", "way": "higher", "log_evidence": grown}]}
        told = "what comes in has been stranger since the 21st"
        return Evidence(OF_STREAM, grown > LEVEL, told, grown, LEVEL, ("embedding 1",), at(GLASS[0]), facts=facts)
    return Evidence(OF_STREAM, False, "nothing adds up", float(chance.uniform(-2, 5)), LEVEL)
