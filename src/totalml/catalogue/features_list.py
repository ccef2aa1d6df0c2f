"""Every shared feature of the project by team: whose it is, what it is, how fresh, and in how much it is used.

  totalml features list
  totalml features list marketing

Fresh is what the store keeps of a feature with a source of its own, by the time of its latest event; one without is
made of the rows of each recipe that names it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.project import Place

HEADER = ("", "kind", "unit", "owner", "fresh (UTC)", "recipes", "runs", "releases", "description")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("teams", nargs="*", metavar="TEAM", help="only theirs")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    listed = _listed(arguments.teams, place, datetime.now(UTC))
    print(json.dumps(listed, indent=2, ensure_ascii=False) if arguments.json else "\n".join(_lines(listed)))
    return 0


def _listed(teams: list[str], place: Place, now: datetime) -> list[dict[str, Any]]:
    from totalml.catalogue.stored_values import freshness, kept_values
    from totalml.catalogue.uses import uses
    from totalml.component import plain
    from totalml.compose.shared import shared_features
    from totalml.errors import RecipeError
    from totalml.fingerprint import feature_id
    from totalml.target import did_you_mean

    features = shared_features(place.project)
    known = sorted({name.partition("/")[0] for name in features})
    if wrong := [team for team in teams if team not in known]:
        hint = did_you_mean(wrong[0], known) or f"; there are: {', '.join(known) or 'none'}"
        raise RecipeError(f"command line: there is no team {wrong[0]!r} in conf/shared/{hint}")
    used, kept = Counter((each.feature, each.by) for each in uses(place)), kept_values(place.open_store())
    listed = []
    for name, feature in features.items():
        team = name.partition("/")[0]
        if teams and team not in teams:
            continue
        id_, definition = feature_id(feature), plain(feature, where=True)
        known_until = kept.get(id_)
        listed.append(
            {
                "name": name,
                "id": id_,
                "kind": definition["_target_"].rpartition(".")[2],
                **{key: definition[key] for key in ("owner", "description", "unit")},
                "latest": known_until.latest.isoformat() if known_until and known_until.latest else None,
                "fresh": freshness(definition, known_until, now),
                **{f"{by}s": used[name, by] for by in ("recipe", "run", "release")},
            }
        )
    return listed


def _lines(listed: list[dict[str, Any]]) -> list[str]:
    from totalml.terminal import aligned

    if not listed:
        return ["there are no shared features yet; totalml features new TEAM/NAME --kind KIND begins one"]
    rows: list[tuple[str, ...]] = [HEADER]
    team = ""
    for each in listed:
        if each["name"].partition("/")[0] != team:
            team = each["name"].partition("/")[0]
            rows.append((team, *[""] * (len(HEADER) - 1)))
        told = ("kind", "unit", "owner", "fresh", "recipes", "runs", "releases", "description")
        rows.append((f"  {each['name'].partition('/')[2]}", *(str(each[key]) for key in told)))
    return aligned(rows)
