"""The model card: Hugging Face can read its head, people its text, and no class name can leave its place."""

import re

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard

from totalml.evaluation import Interval
from totalml.gates import GateResult, Verdict
from totalml.recipe import GateRecipe, Recipe
from totalml.report.markdown import code, table, text
from totalml.report.model_card import model_card
from totalml.validate import validate

EVIL = [
    "# x",
    "a|b",
    "<b>",
    "[x](y)",
    "`",
    "**",
    "- x",
    "1. x",
    "a\nb",
    "http://x",
    "@x",
    "\u202e",
    "![](x)",
    "---",
    "|",
]


def recipe(**card) -> Recipe:
    return validate(
        {
            "name": "pints",
            "data": {"source": {"_target_": "totalml.data.ImageFolder", "root": "photos"}},
            "model": {"image": {"_target_": "totalml.model.SmallCnn"}},
            "training": {"epochs": 1, "batch_size": 2, "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.1}},
            "card": card,
        }
    )


def judged() -> Verdict:
    gate = GateRecipe(metric="accuracy", at_least=0.9)
    found = Interval(0.8, 0.7, 0.85)
    return Verdict((GateResult(gate.title, "failed", False, "accuracy", found, gate.model_dump(), looked_at=1),), 60)


def card_of(content, figures=None, **card) -> str:
    return model_card(content, recipe(**card), figures or {})


def test_hugging_face_reads_its_head(content_of):
    content = content_of(gold_noise=0.1)
    card = ModelCard(card_of(content, license="apache-2.0", tags=["pints"]))
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "totalml"
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.tags == ["totalml", "pints"]
    assert card.data.model_name == "pints"
    results = {result.metric_type: result for result in card.data.eval_results}
    assert all(isinstance(result, EvalResult) for result in results.values())
    assert results["accuracy"].metric_value == round(content.evaluation.metrics["accuracy"].value, 4)
    assert results["accuracy"].dataset_revision == content.data_hash
    assert set(card.data.metrics) == set(results)


def test_a_table_model_is_no_image_model(content_of):
    head = yaml.safe_load(card_of(content_of(image_px=None)).split("---\n")[1])
    assert head["pipeline_tag"] == "tabular-classification"
    assert "license" not in head


def test_undefined_metrics_are_left_out_of_the_head(content_of):
    card = ModelCard(card_of(content_of(samples=1)))
    assert "roc_auc" not in card.data.metrics
    assert "not defined" in card.text


def test_its_text_says_what_people_ask(content_of, file_regression):
    content = content_of(gold_noise=0.1, verdict=judged())
    figures = {"explanation.share.outside": Interval(0.2, 0.1, 0.3), "robustness.blur.3.accuracy": Interval(0.5)}
    stated = {"license": "mit", "intended_use": "pints in pubs", "limits": ["no wine", "no_water"]}
    file_regression.check(card_of(content, figures, **stated), extension=".md")


def test_every_section_stands_once_and_in_order(content_of):
    titles = re.findall(r"^## (.+)$", card_of(content_of(verdict=judged())), re.MULTILINE)
    assert titles == [
        "What it does",
        "How good it is",
        "For whom less",
        "What it looks at",
        "May it be released?",
        "Data",
        "Make it again",
        "Limits",
    ]


@pytest.mark.parametrize("label", EVIL)
def test_no_class_name_changes_the_shape_of_the_card(content_of, label):
    def shape(classes):
        body = card_of(content_of(classes=classes, verdict=judged())).split("---\n", 2)[2]
        return [
            re.match(r"[#|\-]*", line).group() + str(len(re.findall(r"(?<!\\)\|", line))) for line in body.splitlines()
        ]

    assert shape((label, "good")) == shape(("plain", "good"))
    assert not re.search(r"(?<!\\)[<`*\[]", text(label))


@pytest.mark.parametrize("label", EVIL)
def test_a_code_span_holds_anything(label):
    shown = code(label)
    ticks = re.match("`+", shown).group()
    assert shown.endswith(ticks)
    assert ticks not in shown[len(ticks) : -len(ticks)]
    assert "\n" not in shown


def test_a_number_with_a_point_stays_as_it_is():
    assert text("60.0 % of 12.") == "60.0 % of 12."
    assert text("1. one") == "1\\. one"
    assert table(["a"], [["b"]]) == "| a |\n| --- |\n| b |"
