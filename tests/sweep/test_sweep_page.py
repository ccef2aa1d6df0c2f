"""`sweep.html` shows every job, needs nothing but itself, and says what mattered."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from totalml.sweep.importance import importances
from totalml.sweep.page import render
from totalml.sweep.record import Job, SweepRecord
from totalml.sweep.scales import scale_of, scale_of_numbers

METRIC = 0.25


def jobs_of(count: int = 30) -> list[Job]:
    """The loss depends on lr, a little on kind, and not at all on seed."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(1, count + 1):
        rate, kind, seed = 10 ** rng.uniform(-4, -1), rng.choice(["a", "<b>"]), rng.integers(0, 3)
        loss = METRIC + abs(math.log10(rate) + 2.5) + (0.2 if kind == "a" else 0.0)
        parameters = {"lr": f"{rate:.4g}", "kind": str(kind), "seed": str(seed)}
        found.append(Job(number, ("+recipe=x",), parameters, "finished", metric=loss, seconds=2.0, run_id="12-34"))
    return found


def record_of(tmp_path, jobs, direction="minimize"):
    return SweepRecord(
        tmp_path, "photos", "1a2b", "grid", "validation_loss", direction, {job.number: job for job in jobs}
    )


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_network(tmp_path):
    text = render(record_of(tmp_path, jobs_of()))
    page = Page(text)
    assert page.open == []
    assert not [tag for tag, _ in page.tags if tag == "script"]
    links = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert all(link.startswith(("#", "data:")) for link in links)
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert "<b>" not in text.replace("<b>job", "").split("<table")[-1]


def test_each_job_is_a_line_that_crosses_the_axes_at_its_values(tmp_path):
    jobs = jobs_of(12)
    page = Page(render(record_of(tmp_path, jobs)))
    lines = [attributes for tag, attributes in page.tags if tag == "path" and "job" in str(attributes.get("class"))]
    assert len(lines) == 12
    assert lines[-1]["class"] == "job best"  # in front
    rates = {job.parameters["lr"]: math.log10(float(job.parameters["lr"])) for job in jobs}
    starts = [float(re.match(r"M([\d.]+)", line["d"])[1]) for line in lines]
    ranked = sorted(jobs, key=lambda job: job.metric)[::-1]
    assert np.corrcoef(starts, [rates[job.parameters["lr"]] for job in ranked])[0, 1] > 0.9999
    ends = [float(re.findall(r"([\d.]+) \d+$", line["d"])[0]) for line in lines]
    assert ends == sorted(ends)  # the best one is furthest right


def test_what_decides_is_told_from_what_does_not():
    found = {each.key: each.share for each in importances(jobs_of(), ["lr", "kind", "seed"])}
    assert found["lr"] > 0.6
    assert found["seed"] < 0.15
    assert next(iter(found)) == "lr"
    assert importances(jobs_of(3), ["lr"]) == []


def test_a_parameter_alone_explains_all_of_it():
    jobs = [Job(n, (), {"k": "ab"[n % 2]}, "finished", metric=float(n % 2)) for n in range(8)]
    (only,) = importances(jobs, ["k"])
    assert only.share == pytest.approx(1)


def test_jobs_without_a_result_are_counted_and_failed_ones_explained(tmp_path):
    jobs = [*jobs_of(6), Job(7, (), {"lr": "1", "kind": "a", "seed": "0"}, "failed", error="it <broke>", log="x/7.log")]
    text = render(record_of(tmp_path, jobs))
    assert "1 job without a result is left out" in text
    assert "it &lt;broke&gt;" in text
    assert "x/7.log" in text
    assert Page(text).open == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_jobs_make_a_page_too(tmp_path, count):
    assert Page(render(record_of(tmp_path, jobs_of(count)))).open == []


def test_scales_bend_only_where_they_must():
    few = scale_of("k", ["8", "16", "32"])
    assert [few.place(value) for value in ("8", "16", "32")] == [0, 0.5, 1]
    wide = scale_of("lr", [str(10.0**-power) for power in range(8)])
    assert wide.place("0.0001") == pytest.approx(3 / 7)
    even = scale_of_numbers("x", [float(number) for number in range(1, 10)], flipped=True)
    assert even.place("3") == pytest.approx(0.75)


@pytest.mark.parametrize(("direction", "best"), [("minimize", 1), ("maximize", 2)])
def test_ranks_follow_the_direction_and_failures_come_last(tmp_path, direction, best):
    jobs = [
        Job(1, (), {}, "finished", metric=0.1),
        Job(2, (), {}, "finished", metric=0.9),
        Job(3, (), {}, "finished"),
        Job(4, (), {}, "failed"),
        Job(5, (), {}, "pruned"),
    ]
    record = record_of(tmp_path, jobs, direction)
    assert record.best().number == best
    assert [job.number for job in record.ranked()][2:] == [3, 5, 4]


def test_a_few_results_lie_at_their_distances_with_short_labels():
    scale = scale_of_numbers("loss", [0.6266619128, 0.6328853489, 0.6829163077], flipped=True)
    assert scale.place("0.6829163077") == 0
    assert scale.place("0.6328853489") > 0.8
    assert all(len(label) <= 6 for _, label in scale.marks)
    assert scale_of_numbers("loss", [0.5]).marks == ((0.5, "0.5"),)
