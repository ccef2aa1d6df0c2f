"""What holds for a model is its own part of `team.yaml` before the common one; a broken file says all that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.projects import replace
from totalml.errors import RecipeError
from totalml.recipe.alerting import VERDICTS
from totalml.team import TeamFile, read_team

PERSONS = st.sampled_from(["ann", "bob", "eve", "o'brien", "DOMAIN\\eve"])
LISTS = st.lists(PERSONS, min_size=1, max_size=3)
TOLD = st.dictionaries(st.sampled_from(["all", *VERDICTS]), st.lists(PERSONS, max_size=3))
PARTS = {"owner": PERSONS, "reviewers": LISTS, "may_promote": LISTS, "may_deploy": LISTS, "told": TOLD}
OWN = st.fixed_dictionaries({}, optional=PARTS)
COMMON = st.fixed_dictionaries({"owner": PERSONS}, optional={role: PARTS[role] for role in PARTS if role != "owner"})


def plain(value):
    if isinstance(value, dict):
        return {key: tuple(each) for key, each in value.items()}
    return value if isinstance(value, str) else tuple(value)


@given(COMMON, OWN)
def test_each_role_is_that_of_the_model_or_the_common_one_or_the_owners(common, own):
    read = TeamFile.model_validate({**common, "models": {"pints": own}})
    team, others = read.of("pints"), read.of("stouts")
    assert others == TeamFile.model_validate(common).of()
    owner = own.get("owner", common["owner"])
    unsaid = {"reviewers": (), "may_promote": (owner,), "may_deploy": (owner,), "told": {"all": (owner,)}}
    for role in PARTS:
        said = own.get(role, common.get(role))
        assert getattr(team, role) == (unsaid[role] if said is None else plain(said))
        path = read.written(role, "pints")
        where = {**common, "models": {"pints": own}}
        for key in path:
            where = where[key]  # so it is written there
        if said is not None:
            assert where == said
        else:
            assert path[-1] == "owner"
            assert where == owner


@given(COMMON, st.sampled_from(VERDICTS))
def test_an_alert_is_told_each_person_of_its_verdict_or_of_all_once(common, verdict):
    team = TeamFile.model_validate(common).of()
    told = common.get("told", {"all": [common["owner"]]})
    found = team.told_of(verdict)
    assert set(found) == {*told.get(verdict, ()), *told.get("all", ())}
    assert len(found) == len(set(found))
    assert set(found) <= set(team.members)


def test_a_broken_file_says_all_that_is_wrong(project):
    (project / "team.yaml").write_text(
        "owner: 7\nreviewers: [eve, 'b, ob']\nmay_promot: [ann]\nmay_deploy: []\ntold: {concpt: [eve], al: [eve]}\n"
        "models: {pints: {own: eve}}\npeople: {eve: {handle: eve, mail: here}}\n"
    )
    with pytest.raises(RecipeError) as caught:
        read_team(project)
    told = sorted(caught.value.mistakes)
    wanted = [
        "team.yaml:1: 'owner' should be a valid string, got 7",
        "team.yaml:2: reviewers[1]: expected the name of a machine's user such as ann, got 'b, ob'",
        "team.yaml:3: unknown key 'may_promot', did you mean 'may_promote'?",
        "team.yaml:4: 'may_deploy' should hold 1 or more, got []",
        "team.yaml:5: told.concpt: no monitor has the verdict 'concpt', did you mean 'concept'?; no monitor has the "
        "verdict 'al', did you mean 'all'?",
        "team.yaml:6: unknown key 'models.pints.own', did you mean 'owner'?",
        "team.yaml:7: people.eve.handle: expected a person or a team of GitHub such as '@ann' or '@pub/ops', got 'eve'",
        "team.yaml:7: people.eve.mail: expected an address such as ops@example.org, got 'here'",
    ]
    assert len(told) == len(wanted)
    assert all(line.startswith(start) for line, start in zip(told, wanted, strict=True)), told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  pints:\n", "  pint:\n", "team.yaml:8: models.pint: there is no recipe 'pint', did you mean 'pints'?"),
        ("  eve: {m", "  eva: {m", "team.yaml:12: people.eva: no role is given to 'eva', did you mean 'eve'?"),
        ("owner: ann\n", "", "team.yaml:1: missing key 'owner'"),
        ("owner: ann", "owner: ${oc.env:HOME}", "team.yaml:1: an interpolation; write the value itself"),
    ],
)
def test_a_name_that_means_nothing_is_told(project, old, new, message):
    replace(project / "team.yaml", old, new)
    with pytest.raises(RecipeError) as caught:
        read_team(project)
    assert caught.value.mistakes == (message,)


def test_a_link_that_leads_nowhere_is_not_as_if_there_were_no_file(project):
    (project / "team.yaml").unlink()
    assert read_team(project) is None
    (project / "team.yaml").symlink_to(project / "gone.yaml")
    with pytest.raises(RecipeError, match=r"there is no file team.yaml"):
        read_team(project)


def test_who_does_what_is_shown(project, tell):
    assert tell("eve", "team").splitlines() == [
        "owner        ann",
        "reviewers    eve, bob",
        "may promote  ann",
        "may deploy   ann, runner",
        "is told of   all: ann; concept: eve",
        "",
        "pints, otherwise",
        "  may promote  eve",
        "",
        "this machine's user is eve",
    ]
    (project / "team.yaml").unlink()
    assert "there is no team.yaml, so everybody may do everything; `owner: eve` in it" in tell("eve", "team")
