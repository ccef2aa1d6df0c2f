"""From what was scored to the JSON that a caller gets."""

from __future__ import annotations

import base64
import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.release.onnx_model import IMAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.serving.exchange import Answered, Asked

STRENGTH = 0.6  # of the colour over the picture where the model looked most


def answer_of(asked: Asked, answered: Answered) -> dict[str, Any]:
    """What each sample was said to be, by which release."""
    loaded, scored = answered.loaded, answered.scored
    rows = scored.rows[answered.first : answered.first + answered.count]
    decision = loaded.decision
    predictions = []
    for place, (id_, row) in enumerate(zip(asked.ids, rows, strict=True)):
        number = answered.first + place
        told: dict[str, Any] = {"id": id_, **{name: plain(value) for name, value in row.items()}}
        if decision.get("threshold") is not None and decision.get("positive") is not None:
            told |= _decided(row, decision)
        if scored.strangeness is not None and scored.strange is not None:
            told |= {"strangeness": plain(float(scored.strangeness[number])), "strange": bool(scored.strange[number])}
        if asked.explain:
            told["map_png"] = _map(answered, number, place)
        predictions.append(told)
    return {
        "model": loaded.bundle.name,
        "release": loaded.release,
        "request_id": asked.request_id,
        "predictions": predictions,
    }


def _decided(row: dict[str, Any], decision: Any) -> dict[str, Any]:
    """By the threshold that the recipe's costs ask for."""
    positive, threshold = decision["positive"], decision["threshold"]
    said = row[f"p:{positive}"] >= threshold
    return {"positive": positive, "threshold": threshold, "is_positive": bool(said)}


def plain(value: Any) -> Any:
    """JSON knows no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _map(answered: Answered, number: int, place: int) -> str | None:
    """What the model looked at for the class that it names, over the picture as it saw it: PNG in base64."""
    maps = answered.scored.maps
    if maps is None or IMAGE not in answered.inputs:
        return None
    told = int(answered.scored.scores[number].argmax())
    picture = np.asarray(answered.inputs[IMAGE][place])
    return base64.b64encode(_overlay(picture, maps[number, told])).decode()


def _overlay(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """Args: picture: (H, W, 3); heat: (h, w), not negative."""
    from PIL import Image

    top = float(heat.max()) or 1.0
    grown = Image.fromarray((255 * heat / top).astype(np.uint8)).resize(
        (picture.shape[1], picture.shape[0]), Image.Resampling.BILINEAR
    )
    share = STRENGTH * np.asarray(grown, np.float32)[..., None] / 255
    warm = np.array([255, 96, 0], np.float32)
    blended = (1 - share) * picture + share * warm
    out = BytesIO()
    Image.fromarray(blended.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
