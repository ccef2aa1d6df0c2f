"""Each window is looked at once: by several processes, after a kill at any point, and as the log grows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tests.monitoring.traffic import MIDNIGHT, MODEL, OTHER, RELEASE, TRUTH, Service, every
from totalml.errors import StoreError
from totalml.monitoring.history import History, Looked
from totalml.monitoring.losses import LossOf
from totalml.monitoring.traffic import EARLIEST, Tail, Traffic
from totalml.monitoring.verdict import (
    CONCEPT,
    NONE,
    OF_STREAM,
    OF_WINDOW,
    PAGE,
    QUALITY,
    TICKET,
    TOO_FEW,
    UNKNOWN,
    Evidence,
    Verdict,
)
from totalml.monitoring.watch import Watch, begin_of, hours_of
from totalml.prediction_log import reader
from totalml.recipe.monitoring import WindowRecipe
from totalml.segments.segment import Segment
from totalml.store import Store

COLUMNS = ["answer:predicted", "answer:p:good"]
DAY = timedelta(days=1)
LONG = timedelta(days=3650)  # within which labels may come


class Counting:
    """A monitor that keeps what it was given, and finds something in the row with a certain id."""

    def __init__(self, finds: str = "", enough: int = 1) -> None:
        self.seen: list[str] = []
        self.finds, self.enough = finds, enough

    def would_alarm(self, rows: pa.Table, labelled: pa.Table, known: Collection[str]) -> bool:
        return OF_STREAM not in known and self.finds in rows["request_id"].to_pylist()

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table, bounds: tuple[int, int]) -> Verdict:
        ids = rows["request_id"].to_pylist()
        self.seen += ids
        more = max(self.enough - len(together), 0)
        evidence = (Evidence(OF_WINDOW, False, f"{len(together)} together", more=more),)
        if self.finds in ids:
            return Verdict(CONCEPT, "found", PAGE, evidence)
        return Verdict(TOO_FEW if more else NONE, "nothing", "", evidence)

    def state(self) -> dict[str, object]:
        return {"seen": list(self.seen)}

    def restore(self, state: dict[str, list[str]]) -> None:
        self.seen = list(state["seen"])


class Erring(Counting):
    """It finds something as soon as a label is there."""

    def would_alarm(self, rows: pa.Table, labelled: pa.Table, known: Collection[str]) -> bool:
        return bool(len(labelled))

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table, bounds: tuple[int, int]) -> Verdict:
        return Verdict(CONCEPT, "found", PAGE, (Evidence(OF_WINDOW, False, "too few", more=1),))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def watch(
    store: Store,
    monitor: Counting,
    told: list[Looked] | None = None,
    live: bool = False,
    since: datetime = MIDNIGHT - DAY,
    **window,
) -> Watch:
    losses = LossOf(TRUTH, {})
    made = (store, MODEL, RELEASE, COLUMNS, losses, LONG)
    traffic = Tail(*made, since) if live else Traffic(*made)
    settings = WindowRecipe(**{"hours": 24, "rows": 1, **window})
    return Watch(RELEASE, History(store, MODEL), traffic, monitor, settings, ([] if told is None else told).append)


def at(days: float) -> datetime:
    return MIDNIGHT + days * DAY + timedelta(seconds=11)


def test_numbers_that_the_journal_could_not_give_back_stop_no_window(store):
    """Of a column of times in nanoseconds, say."""

    class Nanoseconds(Counting):
        def look(self, *given: object) -> Verdict:
            moves = [{"name": "sent", "before": 1.7e18, "now": 2.0}]
            return Verdict(
                NONE, "nothing", "", (Evidence(OF_WINDOW, False, "", value=2.0**60, facts={"moves": moves}),)
            )

    Service(store).answer(every(60, 24))
    assert len([*watch(store, Nanoseconds()).look(at(1))]) == 1
    (evidence,) = History(store, MODEL).looked()[0].verdict.evidence
    assert (evidence.value, evidence.facts) == (None, {"moves": [{"name": "sent", "before": None, "now": 2.0}]})


def test_windows_are_days_and_every_row_is_in_one(store):
    asked = Service(store).answer(every(60, 60))
    looked = [*watch(store, monitor := Counting()).look(at(3))]
    assert [each.rows for each in looked] == [24, 24, 12]
    assert monitor.seen == asked
    assert looked[0].start == MIDNIGHT.isoformat(timespec="microseconds")
    assert [each.start for each in looked[1:]] == [each.end for each in looked[:-1]]


def test_it_says_when_the_window_under_way_is_over(store):
    assert watch(store, Counting()).ends() is None
    Service(store).answer(every(60, 30))
    going = watch(store, Counting())
    assert going.ends() == MIDNIGHT + DAY
    assert len([*going.look(at(1))]) == 1
    assert going.ends() == MIDNIGHT + 2 * DAY


def test_a_window_that_is_not_over_or_not_settled_waits(store):
    Service(store).answer(every(60, 30))
    assert not [*watch(store, Counting()).look(MIDNIGHT + DAY + timedelta(seconds=9))]
    assert len([*watch(store, Counting()).look(MIDNIGHT + DAY + timedelta(seconds=10))]) == 1


def test_another_process_goes_on_where_one_ended(store):
    service = Service(store)
    asked = service.answer(every(60, 48))
    assert len([*watch(store, Counting()).look(at(2))]) == 2
    asked += service.answer(every(60, 24, MIDNIGHT + 2 * DAY))
    looked = [*watch(store, monitor := Counting()).look(at(3))]
    assert len(looked) == 1
    assert monitor.seen == asked  # what the first one saw came with its state


def test_of_two_at_once_each_window_is_written_once(store):
    asked = Service(store).answer(every(60, 96))
    one, other = watch(store, first := Counting()), watch(store, second := Counting())
    ones, others = one.look(at(4)), other.look(at(4))
    done = [next(ones), next(others), *ones, *others]
    assert len(done) == 4
    assert [each.rows for each in History(store, MODEL).looked()] == [24] * 4
    assert asked in (first.seen, second.seen)


def test_one_killed_before_it_wrote_is_told_again_and_nothing_is_missed(store):
    asked = Service(store).answer(every(60, 24))
    told: list[Looked] = []

    def killed(looked: Looked) -> None:
        told.append(looked)
        raise KeyboardInterrupt

    dying = watch(store, Counting(finds=asked[5]))
    dying.tell = killed
    with pytest.raises(KeyboardInterrupt):
        [*dying.look(at(1))]
    assert not History(store, MODEL).looked()
    assert len([*watch(store, Counting(finds=asked[5]), told).look(at(1))]) == 1
    assert told[0] == told[1]


def test_a_window_with_too_few_is_looked_at_with_the_next(store):
    Service(store).answer(every(360, 12))  # four a day
    looked = [*watch(store, Counting(enough=6)).look(at(3))]
    assert [each.verdict.evidence[0].told for each in looked] == ["4 together", "8 together", "4 together"]
    assert [each.verdict.cause for each in looked] == [TOO_FEW, NONE, TOO_FEW]
    again = [*watch(store, Counting(enough=6)).look(at(4))]  # of another process
    assert [each.verdict.evidence[0].told for each in again] == ["4 together"]


def test_alongside_a_service_too_few_are_looked_at_with_the_next_as_well(store):
    service, going = Service(store), watch(store, Counting(enough=10), live=True)
    told = []
    for day in range(4):
        if day == 3:  # of another process, which was opened when the window before was over
            going = watch(store, Counting(enough=10), live=True, since=at(3))
        service.answer(every(360, 4, MIDNIGHT + day * DAY))
        told += [each.verdict.evidence[0].told for each in going.look(at(day + 1), along=True)]
    assert told == ["4 together", "8 together", "12 together", "4 together"]


@pytest.fixture
def days_read(monkeypatch) -> list[str]:
    """Day of each file of the log that is read from here on."""
    days, read = [], reader.rows_of

    def noted(store: Store, model: str, segment: Segment, columns: Sequence[str] | None) -> pa.Table:
        days.append(segment.hour.day)
        return read(store, model, segment, columns)

    monkeypatch.setattr(reader, "rows_of", noted)
    return days


def test_a_service_of_a_long_log_begins_where_the_journal_stands(store, days_read):
    service = Service(store)
    asked = service.answer(every(60, 24 * 20))
    assert len([*watch(store, Counting()).look(at(18))]) == 18
    days_read.clear()
    going = watch(store, monitor := Counting(), live=True, since=at(19.5))
    assert len([*going.look(at(19.5), along=True)]) == 1
    asked += service.answer(every(1, 9, MIDNIGHT + 20 * DAY))
    assert len([*going.look(at(20.5), along=True)]) == 1
    assert monitor.seen == asked[: 24 * 20]
    assert min(days_read) == "2026-03-19"  # that before the first of its windows, whose last file may reach into it
    assert len(days_read) < 10


def test_a_label_of_a_long_log_is_found_without_reading_it_whole(store, days_read, monkeypatch):
    service, now = Service(store), datetime.now(UTC)
    asked = service.answer([now - each * DAY for each in range(40, 0, -1)])
    going = watch(store, Counting(), live=True, since=now)
    monkeypatch.setattr("totalml.monitoring.traffic.MOST_REMEMBERED", 3)
    list(going.look(now))
    days_read.clear()
    service.label(asked[-2:] + asked[:1], "bad")
    going.monitor = Erring()
    (found,) = going.look(now + timedelta(seconds=60), along=True)
    assert found.labels == 2  # the third is of a row that is remembered no more
    assert len({*days_read}) < 8


@pytest.mark.parametrize("most", [1, 7, 100, 1000])
def test_no_more_of_a_log_is_read_than_the_first_rows_that_are_wanted(store, most, days_read):
    first, other = Service(store), Service(store, "0000000b")
    for day in range(5):
        first.answer(every(45, 30, MIDNIGHT + day * DAY))
        other.answer(every(31, 30, MIDNIGHT + day * DAY))
        first.answer(every(45, 5, MIDNIGHT + day * DAY))
    traffic = watch(store, Counting()).traffic
    whole = traffic.rows(MIDNIGHT, MIDNIGHT + 5 * DAY)
    days_read.clear()
    some = traffic.rows(MIDNIGHT, MIDNIGHT + 5 * DAY, most)
    ids = ["request_id", "sample"]
    assert some.select(ids).slice(0, most).equals(whole.select(ids).slice(0, most))
    assert len({*days_read}) == min(5, most // 65 + 1)


@pytest.mark.parametrize("hours", [0.02, 0.333, 1.1, 5.3, 24])
def test_a_window_of_any_hours_ends_after_it_begins_and_the_next_begins_there(hours):
    window, begin = WindowRecipe(hours=hours), MIDNIGHT + timedelta(microseconds=1)
    for _ in range(50):
        end = begin_of(window, begin) + hours_of(window)
        assert begin < end <= begin + hours_of(window)
        assert begin_of(window, end) == end
        assert begin_of(window, end - timedelta(microseconds=1)) == end - hours_of(window)
        begin = end


def test_a_window_ends_after_so_many_rows(store):
    asked = Service(store).answer(every(1, 350))
    looked = [*watch(store, monitor := Counting(), most=100).look(at(1))]
    assert [each.rows for each in looked] == [100, 100, 100, 50]
    assert monitor.seen == asked


def test_silence_is_said_once(store):
    service = Service(store)
    service.answer(every(60, 24))
    service.answer(every(60, 24, MIDNIGHT + 9 * DAY))
    looked = [*watch(store, Counting()).look(at(10))]
    assert [each.rows for each in looked] == [24, 0, 24]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_decades_of_silence_are_not_walked(store, live, labelled, monkeypatch):
    """A wrong clock once dated rows 1970; of the time until then each process asks no more than a few windows."""
    service = Service(store)
    wrong = service.answer(every(1, 3, EARLIEST))
    asked = wrong + service.answer(every(60, 24))
    if labelled:
        service.label(asked[-24:], "bad")  # now
    now = datetime.now(UTC) + 2 * DAY if labelled else at(1)
    windows = (first := watch(store, Counting(), live=live, since=EARLIEST)).look(now)
    done = [next(windows), next(windows)]
    windows.close()  # killed in 1970
    going = watch(store, monitor := Counting(), live=live, since=EARLIEST)
    labels, calls = going.traffic.labelled, []
    monkeypatch.setattr(going.traffic, "labelled", lambda *bounds: calls.append(bounds) or labels(*bounds))
    done += going.look(now)
    assert [each.rows for each in done] == [3, 0, 24, 0, 0, 0][: 5 if labelled else 3]
    assert done[2].start == MIDNIGHT.isoformat(timespec="microseconds")
    assert sum(each.labels for each in done) == (24 if labelled else 0)
    assert monitor.seen == asked
    assert len(calls) < 10
    assert not [*first.look(now)]


def test_silence_that_alarms_has_no_row_to_show(store):
    class Deaf(Counting):
        def look(self, rows: pa.Table, *others: object) -> Verdict:
            return Verdict(NONE if len(rows) else QUALITY, "no rows came", "" if len(rows) else PAGE)

    Service(store).answer(every(60, 24))
    told: list[Looked] = []
    assert len([*watch(store, Deaf(), told).look(at(2))]) == 2
    assert [each.samples for each in told] == [()]


def test_alongside_a_service_what_is_found_ends_the_window(store):
    service = Service(store)
    told: list[Looked] = []
    asked = service.answer(every(1, 10))
    going = watch(store, monitor := Counting(finds="0000000a-2-3"), told, live=True)
    assert not [*going.look(MIDNIGHT + timedelta(minutes=10), along=True)]
    asked += service.answer(every(1, 10, MIDNIGHT + timedelta(minutes=10)))
    looked = [*going.look(MIDNIGHT + timedelta(minutes=14), along=True)]
    assert [each.verdict.cause for each in looked] == [CONCEPT]
    assert looked == told
    asked += service.answer(every(60, 20, MIDNIGHT + timedelta(minutes=30)))
    assert len([*going.look(at(1), along=True)]) == 1
    assert monitor.seen == asked


def test_rows_that_came_after_their_window_are_counted_alongside_a_service(store):
    service = Service(store)
    service.answer(every(60, 24))
    going = watch(store, monitor := Counting(), live=True)
    assert len([*going.look(at(1), along=True)]) == 1
    service.answer(every(1, 3, MIDNIGHT + DAY / 2))
    service.answer(every(1, 5, MIDNIGHT + DAY))  # of the next window
    assert not [*going.look(at(1.1), along=True)]
    assert not [*going.look(at(1.2), along=True)]
    assert going.traffic.late == 3
    assert len(monitor.seen) == 24
    again = watch(store, Counting(), live=True)  # of another process, which cannot tell when they came
    assert not [*again.look(at(1.2), along=True)]
    assert again.traffic.late == 0


class Lasting(Counting):
    """The stream is another one from the first row on, for good."""

    def would_alarm(self, rows: pa.Table, labelled: pa.Table, known: Collection[str]) -> bool:
        return OF_STREAM not in known and bool(len(rows))

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table, bounds: tuple[int, int]) -> Verdict:
        return Verdict(UNKNOWN, "found", TICKET, (Evidence(OF_STREAM, True, "found"),))


def test_what_goes_on_for_days_ends_no_further_window_early(store):
    Service(store).answer(every(1, 24 * 60))
    going = watch(store, Lasting(), live=True)
    ends = [each.end[11:16] for hour in range(1, 25) for each in going.look(at(hour / 24), along=True)]
    again = watch(store, Lasting(), live=True)  # of another process
    assert not [*again.look(at(1.5), along=True)]
    assert ends == ["01:00", "00:00"]


def test_labels_alone_can_alarm_while_nobody_asks(store):
    service = Service(store)
    now = datetime.now(MIDNIGHT.tzinfo)
    asked = service.answer([now - 2 * DAY])
    going = watch(store, Counting(), live=True)
    assert sum(each.rows for each in going.look(now)) == 1
    service.label(asked, "bad")
    going.monitor = Erring()
    (found,) = going.look(now + timedelta(seconds=60), along=True)
    assert (found.rows, found.labels, found.samples) == (0, 1, ())


def test_only_rows_of_the_release_count(store):
    service = Service(store)
    service.answer(every(60, 24), OTHER)
    asked = service.answer(every(60, 24, MIDNIGHT + timedelta(minutes=30)))
    assert len([*watch(store, monitor := Counting()).look(at(1))]) == 1
    assert monitor.seen == asked


@pytest.mark.parametrize("live", [False, True])
def test_another_release_may_answer_in_another_type(store, live):
    service = Service(store)
    ids = service.answer(every(60, 12))
    service.answer(every(60, 12), release=OTHER, said=[3] * 12)
    monitor = Counting()
    assert [each.rows for each in watch(store, monitor, live=live).look(at(1))] == [12]
    assert monitor.seen == ids


def test_a_damaged_state_may_be_removed_and_begins_anew(store):
    service = Service(store)
    service.answer(every(60, 24))
    assert len([*watch(store, Counting()).look(at(1))]) == 1
    second = service.answer(every(60, 24, MIDNIGHT + DAY))
    (state,) = (store.folder("monitors") / MODEL).iterdir()
    state.write_bytes(b"{")
    with pytest.raises(StoreError, match="is damaged; restore it from a backup, or remove it"):
        next(watch(store, Counting()).look(at(2)))
    state.unlink()
    monitor = Counting()
    assert [each.rows for each in watch(store, monitor).look(at(2))] == [24]
    assert monitor.seen == second


def test_labels_belong_to_the_window_in_which_they_came(store):
    service = Service(store)
    now = datetime.now(MIDNIGHT.tzinfo)
    asked = service.answer([now - timedelta(hours=2, minutes=number) for number in range(9, -1, -1)])
    service.label(asked[:4], "bad")
    service.label(asked[4:6], "good")
    traffic = watch(store, Counting()).traffic
    labelled = traffic.labelled(now - timedelta(hours=1), now + timedelta(hours=1))
    assert labelled["loss"].to_pylist() == [1.0] * 4 + [0.0] * 2
    assert not len(traffic.labelled(now - timedelta(hours=3), now - timedelta(hours=1)))
    live = watch(store, Counting(), live=True).traffic
    assert live.labelled(now - timedelta(hours=1), now + timedelta(hours=1)).equals(labelled)
