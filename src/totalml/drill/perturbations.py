"""Faults on the way to the model: what an upstream change does to pictures, columns and labels.

Nothing but the sample decides how it is changed, so a population is the same on every machine.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from totalml.condition import condition
from totalml.errors import DataError
from totalml.identity import drawn
from totalml.kinds import Perturbation
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from PIL.Image import Image

    from totalml.data.sample import Sample, Value

MOST_MEGAPIXELS = 100.0
RELABELLED = "relabelled v1"


class _OfPictures(Perturbation):
    def change(self, sample: Sample) -> Sample:
        """Raises: DataError: the sample has no picture, or it cannot be read."""
        from totalml.data.image import decode

        if sample.image is None:
            raise DataError(f"sample {sample.id!r} has no picture for {type(self).__name__} to change")
        data = sample.image if isinstance(sample.image, bytes) else sample.image.read_bytes()
        return replace(sample, image=self.stored(decode(data, MOST_MEGAPIXELS)))

    @abstractmethod
    def stored(self, picture: Image) -> bytes:
        """What is sent in place of the picture."""


class SwappedChannels(_OfPictures):
    """Red for blue, as where one library reads RGB and the next one BGR."""

    def stored(self, picture: Image) -> bytes:
        from PIL import Image

        red, green, blue = picture.split()
        return _lossless(Image.merge("RGB", (blue, green, red)))


class ResizedTwice(_OfPictures):
    """Made smaller and large again, as by a proxy that keeps thumbnails."""

    px: Annotated[int, Field(ge=1, le=1024)] = 32  # of the shorter side in between

    def stored(self, picture: Image) -> bytes:
        from PIL.Image import Resampling

        scale = self.px / min(picture.size)
        small = picture.resize([max(1, round(side * scale)) for side in picture.size], Resampling.BILINEAR)
        return _lossless(small.resize(picture.size, Resampling.BILINEAR))


class CoarseJpeg(_OfPictures):
    """Compressed so far that blocks show."""

    quality: Annotated[int, Field(ge=1, le=95)] = 10  # the scale of libjpeg

    def stored(self, picture: Image) -> bytes:
        file = BytesIO()
        picture.save(file, "JPEG", quality=self.quality)
        return file.getvalue()


class Cropped(_OfPictures):
    """The middle alone, as by an app whose frame has changed."""

    keep: Annotated[float, Field(gt=0, le=1)] = 0.6  # of each side

    def stored(self, picture: Image) -> bytes:
        width, height = picture.size
        wide, high = max(1, round(width * self.keep)), max(1, round(height * self.keep))
        left, top = (width - wide) // 2, (height - high) // 2
        return _lossless(picture.crop((left, top, left + wide, top + high)))


class ScaledColumn(Perturbation):
    """Another price, another unit: numbers times a factor, missing ones stay so."""

    column: str
    factor: float

    def change(self, sample: Sample) -> Sample:
        """Raises: DataError: there is no such column, or it holds no number."""
        value = _value(sample, self.column)
        if value is None:
            return sample
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(f"sample {sample.id!r} has {value!r} in {self.column!r}; ScaledColumn wants a number")
        return replace(sample, metadata={**sample.metadata, self.column: float(value) * self.factor})


class FixedColumn(Perturbation):
    """One value for all, or none: a sensor stuck, a feed lost."""

    column: str
    value: str | int | float | bool | None = None

    def change(self, sample: Sample) -> Sample:
        """Raises: DataError: there is no such column."""
        _value(sample, self.column)
        return replace(sample, metadata={**sample.metadata, self.column: self.value})


def _readable(text: str) -> str:
    condition(text)
    return text


class Relabelled(Perturbation):
    """Other labels for the same samples: people judge otherwise than before, which is a concept and nothing else."""

    before: str
    now: str
    share: Annotated[float, Field(ge=0, le=1)] = 1.0  # of the samples labelled `before`, by their ids
    where: Annotated[str, AfterValidator(_readable)] | None = None  # among which, such as "age_group == '18-25'"

    def change(self, sample: Sample) -> Sample:
        """Raises: DataError: there is no such column as `where` names."""
        if self.where is not None:
            among = condition(self.where)
            for column in among.columns:
                _value(sample, column)
            if not among.holds(sample.metadata):
                return sample
        if sample.label != self.before or drawn(RELABELLED, sample.id.encode()) >= self.share:
            return sample
        return replace(sample, label=self.now)


def _value(sample: Sample, column: str) -> Value:
    if column not in sample.metadata:
        hint = did_you_mean(column, sample.metadata) or f"; there are: {', '.join(sample.metadata) or 'none'}"
        raise DataError(f"sample {sample.id!r} has no column {column!r}{hint}")
    return sample.metadata[column]


def _lossless(picture: Image) -> bytes:
    import numpy as np

    from totalml.data.image import ppm

    pixels: Any = np.asarray(picture)
    return ppm(pixels)
