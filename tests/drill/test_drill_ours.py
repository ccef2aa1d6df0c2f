"""Our tests see a history as a service would: a window at a time, an expected season against the last one."""

from dataclasses import replace

import numpy as np

from tests.drill.drawn import recipe
from totalml.drill import Windows, draw_history
from totalml.drill.detector import SILENT
from totalml.monitoring import WindowTest


def test_the_evidence_of_a_window_is_its_p(pools):
    history = draw_history(pools, recipe(), "sudden", 2, 0)
    evidence = Windows(7, permutations=50).evidence(history)
    assert [*np.flatnonzero(evidence > SILENT)] == [*range(6, 56, 7)]
    rows = (history.day >= 28) & (history.day < 35)
    test = WindowTest.fit(history.reference, permutations=50, level=1 / 50)
    assert evidence[34] == -np.log(test.test(history.observations.take(rows)).p)
    assert evidence[34] > evidence[:28].max()


def test_a_season_is_held_against_the_last_one_and_only_while_it_lasts(pools):
    told = draw_history(pools, recipe(), "feast", 2, 0)
    untold = replace(told, expected_rows=None)
    with_season, without = (Windows(7, permutations=100).evidence(each) for each in (told, untold))
    assert without[34] > -np.log(0.03)
    assert with_season[34] < without[34]
    elsewhere = np.arange(56) != 34
    assert np.array_equal(with_season[elsewhere], without[elsewhere])
    assert np.isfinite(with_season[34])
