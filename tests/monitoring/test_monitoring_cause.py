"""From what detectors found to a cause, held to what each cause promises, whatever else was found."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from totalml.monitoring.cause import RIGHT, UNDECIDED, WRONG, judge
from totalml.monitoring.verdict import (
    CAUSES,
    CONCEPT,
    COVARIATE,
    NONE,
    OF_ESTIMATE,
    OF_LABELS,
    OF_PERIODS,
    OF_QUALITY,
    OF_SEASON,
    OF_SLICES,
    OF_STREAM,
    OF_WINDOW,
    PAGE,
    QUALITY,
    SEASON,
    TICKET,
    TOO_FEW,
    UNKNOWN,
    Evidence,
    Verdict,
)

DETECTORS = (OF_QUALITY, OF_LABELS, OF_WINDOW, OF_STREAM, OF_SEASON, OF_ESTIMATE, OF_SLICES, OF_PERIODS)


def found(*alarms: str, model: str = UNDECIDED, few: tuple[str, ...] = (), outside: bool = False) -> list[Evidence]:
    """Of every detector, those that found something."""
    facts = {OF_LABELS: {"model": model, "labels_wanted": 120, "outside_quality": outside}}
    return [
        Evidence(
            detector=each,
            alarm=each in alarms,
            told=f"{each} {'found' if each in alarms else 'clear'}",
            more=50 if each in few else 0,
            facts=facts.get(each, {}),
        )
        for each in DETECTORS
    ]


evidence = st.lists(st.sampled_from(DETECTORS), unique=True).flatmap(
    lambda alarms: st.builds(
        found,
        *map(st.just, alarms),
        model=st.sampled_from((RIGHT, UNDECIDED, WRONG)),
        outside=st.booleans(),
    )
)
season = st.sampled_from(("", "St Patrick's week"))


def test_what_people_set_anew_is_a_new_input_whatever_else_has_seen_it():
    noticed = {"noticed": [{"kind": "set", "words": "tv stays as it was set"}]}
    for model, cause in ((UNDECIDED, UNKNOWN), (RIGHT, COVARIATE)):
        for alarms in ((), (OF_WINDOW,)):
            quality, *others = found(*alarms, model=model)
            verdict = judge([replace(quality, facts=noticed), *others])
            assert (verdict.cause, "tv stays as it was set" in verdict.told, verdict.severity) == (cause, True, TICKET)
    assert judge([replace(found(OF_QUALITY)[0], facts=noticed)]).cause == QUALITY


def test_each_cause_by_what_is_found():
    week = "St Patrick's week"
    assert judge(found()).cause == NONE
    assert judge(found(few=(OF_WINDOW, OF_STREAM))).cause == TOO_FEW
    assert judge(found(OF_QUALITY)).cause == QUALITY
    assert judge(found(OF_LABELS)).cause == CONCEPT
    assert judge(found(OF_SLICES)).cause == CONCEPT
    assert judge(found(OF_PERIODS)).cause == CONCEPT
    assert judge(found(OF_WINDOW)).cause == UNKNOWN
    assert judge(found(OF_STREAM, model=RIGHT)).cause == COVARIATE
    assert judge(found(OF_WINDOW), week).cause == SEASON
    assert judge(found(OF_WINDOW, OF_SEASON), week).cause == UNKNOWN
    assert judge(found(OF_WINDOW, OF_LABELS), week).cause == CONCEPT


def test_wrong_data_explains_errors_unless_the_model_errs_without_it_too():
    assert judge(found(OF_QUALITY, OF_LABELS)).cause == QUALITY
    assert judge(found(OF_QUALITY, OF_PERIODS)).cause == QUALITY
    assert judge(found(OF_QUALITY, OF_LABELS, outside=True)).cause == CONCEPT


def test_new_inputs_alone_are_a_ticket_until_the_model_says_of_itself_that_it_errs():
    assert judge(found(OF_WINDOW)).severity == TICKET
    assert judge(found(OF_WINDOW, OF_ESTIMATE)).severity == PAGE
    assert judge(found(OF_ESTIMATE)).severity == ""


def test_unknown_says_how_many_labels_would_tell():
    assert "120 labels would tell" in judge(found(OF_WINDOW)).told


@given(evidence, season)
def test_a_season_mutes_neither_labels_nor_quality(some, season):
    verdict = judge(some, season)
    if any(each.alarm for each in some if each.detector in (OF_LABELS, OF_QUALITY)):
        assert verdict.severity == PAGE
        assert verdict.cause in (CONCEPT, QUALITY)


@given(evidence, season)
def test_new_covariate_is_said_only_where_labels_show_the_model_right(some, season):
    labels = next(each for each in some if each.detector == OF_LABELS)
    if judge(some, season).cause == COVARIATE:
        assert labels.facts["model"] == RIGHT
        assert not labels.alarm


@given(evidence, season)
def test_a_verdict_rules_out_others_never_itself_and_survives_json(some, season):
    verdict = judge(some, season)
    assert verdict.cause in CAUSES
    assert verdict.cause not in verdict.ruled_out
    assert {*verdict.ruled_out} <= {*CAUSES}
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict


@given(evidence)
def test_nothing_found_alarms_nobody(some):
    quiet = [Evidence(each.detector, False, each.told, facts=each.facts) for each in some]
    assert not judge(quiet).alarms
