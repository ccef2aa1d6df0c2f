"""The recipe: one experiment, whole, as strict pydantic models. Its shape stands in `recipe.py`."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.recipe.bounds import Positive, Share
    from totalml.recipe.card import CardRecipe
    from totalml.recipe.data import (
        DataRecipe,
        FeaturesRecipe,
        ImageFeatures,
        QualityRecipe,
        SharedRecipe,
        SplitRecipe,
        TableFeatures,
    )
    from totalml.recipe.drill import DrillRecipe, LateLabels, PopulationRecipe, ScenarioRecipe
    from totalml.recipe.evaluation import (
        CalibrationRecipe,
        EvaluationRecipe,
        ExplanationRecipe,
        FairnessRecipe,
        OutOfDistributionRecipe,
        RobustnessRecipe,
        SlicesRecipe,
    )
    from totalml.recipe.gates import GateRecipe
    from totalml.recipe.learning import EarlyStopping, ModelRecipe, TrainingRecipe
    from totalml.recipe.plan import LeverRecipe, PlanRecipe
    from totalml.recipe.recipe import DEFAULT_TASK, Recipe, what
    from totalml.recipe.suites import DeepchecksRecipe, PictureSuiteRecipe, SuiteCondition, SuiteRecipe
    from totalml.recipe.where import RegistryRecipe, RuntimeRecipe, SweepRecipe, Tolerance, TrackingRecipe

__all__ = [
    "DEFAULT_TASK",
    "CalibrationRecipe",
    "CardRecipe",
    "DataRecipe",
    "DeepchecksRecipe",
    "DrillRecipe",
    "EarlyStopping",
    "EvaluationRecipe",
    "ExplanationRecipe",
    "FairnessRecipe",
    "FeaturesRecipe",
    "GateRecipe",
    "ImageFeatures",
    "LateLabels",
    "LeverRecipe",
    "ModelRecipe",
    "OutOfDistributionRecipe",
    "PictureSuiteRecipe",
    "PlanRecipe",
    "PopulationRecipe",
    "Positive",
    "QualityRecipe",
    "Recipe",
    "RegistryRecipe",
    "RobustnessRecipe",
    "RuntimeRecipe",
    "ScenarioRecipe",
    "Share",
    "SharedRecipe",
    "SlicesRecipe",
    "SplitRecipe",
    "SuiteCondition",
    "SuiteRecipe",
    "SweepRecipe",
    "TableFeatures",
    "Tolerance",
    "TrackingRecipe",
    "TrainingRecipe",
    "what",
]

__getattr__ = lazy_exports(__name__)
