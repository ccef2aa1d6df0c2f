"""What a `_target_` names is a component, or it is told what stands in the way."""

import sys
import types

import pytest

from totalml.kinds import Feature
from totalml.target import TargetError, component_class


def test_a_component_that_lacks_a_method_is_told_which(monkeypatch):
    module = types.ModuleType("recipes.half")
    module.Ratio = type("Ratio", (Feature,), {"__module__": "recipes.half", "__doc__": "Half done."})
    monkeypatch.setitem(sys.modules, "recipes.half", module)
    with pytest.raises(TargetError, match=r"'recipes.half.Ratio' lacks columns, which every Feature needs: write it"):
        component_class("recipes.half.Ratio")
    with pytest.raises(TargetError, match=r"'totalml.kinds.Feature' is a kind of component; name one of that kind"):
        component_class("totalml.kinds.Feature")
