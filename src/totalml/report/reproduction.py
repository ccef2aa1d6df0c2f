"""What it takes to make the run again."""

from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, section, table, tag, with_bar
from totalml.report.number_format import duration

# A recipe has 60 lines or so; this bounds what a composed one can add to the page.
LONGEST_RECIPE = 20_000
MOST_ENVIRONMENT = 100


def reproduction(content: ReportContent) -> Html:
    facts = {"Run": content.run_id, "Config hash": content.config_hash, "Data hash": content.data_hash}
    listed = [tag("div", tag("dt", name), tag("dd", tag("code", value))) for name, value in facts.items()]
    environment = [[name, value[:200]] for name, value in list(content.environment.items())[:MOST_ENVIRONMENT]]
    return section(
        "again",
        "Make it again",
        tag("pre", tag("code", content.command), tabindex=0, role="region", aria_label="Command line"),
        tag("dl", *listed, class_="ids"),
        tag("div", _timings(content), table("Environment", ["What", "Value"], environment), class_="pair"),
        tag("details", tag("summary", "The composed recipe"), _recipe(content.recipe_yaml)),
    )


def _timings(content: ReportContent) -> Html:
    total = sum(content.seconds.values())
    rows: list[list[str]] = []
    for stage, seconds in content.seconds.items():
        rows.append([stage, with_bar(seconds / total if total else 0.0, duration(seconds))])
    rows.append([tag("b", "All"), tag("b", duration(total))])
    return table("Time by stage", ["Stage", "Time"], rows, "numbers")


def _recipe(text: str) -> Html:
    cut = text[:LONGEST_RECIPE]
    more = tag("p", "Cut here; recipe.yaml beside this page is whole.") if len(cut) < len(text) else ""
    return joined(tag("pre", tag("code", cut), tabindex=0, role="region", aria_label="Composed recipe"), more)
