"""The one place that decodes pictures, and the plain formats that Total ML writes itself.

Limits come first: the format is one of a few that Pillow reads by itself, and the size in the header is checked
before a pixel is decoded.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# Not EPS and the like, which run other programs. A phone's MPO is read as the JPEG that it begins with.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_ORIENTATION = 0x0112  # EXIF tag
_SIDEWAYS = (5, 6, 7, 8)  # its values that swap width and height
# EXIF orientation to PIL.Image.Transpose.
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_ONE_CHANNEL = ("1", "L", "P")
_WIDE = ("PNG", "PPM")  # formats whose mode I holds 16 bits
_JPEG = b"\xff\xd8\xff"  # how one begins
MOST_READS = 2**18  # of pieces of a file, 100 megapixels of PNG in pieces of 8 kB among them


class UnreadableImage(DataError):
    """Why a picture cannot be used, in words for the person who can mend it."""


def decode(data: bytes, max_megapixels: float, at_least: int | None = None) -> Image:
    """The picture as a person sees it: RGB, upright, transparency on white.

    Args:
        at_least: px; a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as both sides keep this length (faster).
    Raises: UnreadableImage.
    """
    with _opened(data, max_megapixels) as image:
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        return _upright(image)


def as_decoded(image: Image, max_megapixels: float) -> Image:
    """A picture that Pillow holds already, as `decode` gives those that it reads; a copy.

    Raises: UnreadableImage.
    """
    with _own_words():
        _check(image, max_megapixels)
        return _upright(image)


def decode_mask(data: bytes, max_megapixels: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(H, W) the values of a single-channel picture of 8 bits or less as they are stored; of a palette, its indices.

    Raises: UnreadableImage.
    """
    import numpy as np

    with _opened(data, max_megapixels) as image:
        if image.mode not in _ONE_CHANNEL:
            raise UnreadableImage(f"a mask has one channel of 8 bits, this picture is {image.mode}")
        image.load()
        return np.asarray(image).astype(np.uint8)


def inspect(data: bytes | Path, max_megapixels: float) -> tuple[int, int]:
    """Width and height of a picture that `decode` can read, found at the least cost.

    A JPEG is decoded at 1/8, which still reads every compressed byte and so finds a truncated one.

    Raises: UnreadableImage.
    """
    with _opened(data, max_megapixels) as image:
        width, height = image.size
        image.draft(None, (1, 1))
        _rgb(image)
        return (height, width) if _orientation(image) in _SIDEWAYS else (width, height)


def stated_size(data: bytes) -> tuple[int, int]:
    """Width and height that the header of a picture states; 0, 0 where it cannot be read. Nothing is decoded."""
    try:
        with _readable(data) as image:
            return image.size
    except UnreadableImage:
        return 0, 0


def too_large(width: int, height: int, max_megapixels: float) -> str | None:
    """The reason to refuse a picture of this size, if it is one."""
    megapixels = width * height / 1e6
    if megapixels <= max_megapixels:
        return None
    return f"{width} x {height} px = {megapixels:.1f} megapixels; data.max_megapixels is {max_megapixels:g}"


def ppm(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Colour picture as P6, the same bytes on every machine.

    Args:
        pixels: (H, W, 3) uint8.
    """
    return _netpbm(b"P6", pixels, 3)


def pgm(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Grey picture or mask as P5, the same bytes on every machine.

    Args:
        pixels: (H, W) uint8.
    """
    return _netpbm(b"P5", pixels, 2)


def _netpbm(magic: bytes, pixels: np.ndarray[Any, np.dtype[np.uint8]], dimensions: int) -> bytes:
    shape = pixels.shape
    if pixels.dtype != "uint8" or len(shape) != dimensions or shape[2:] not in ((), (3,)):
        raise ValueError(f"expected uint8 pixels of {dimensions} dimensions, got {pixels.dtype} {shape}")
    return b"%s\n%d %d\n255\n" % (magic, shape[1], shape[0]) + pixels.tobytes()


@contextmanager
def _opened(data: bytes | Path, max_megapixels: float) -> Iterator[ImageFile]:
    """Open a picture and check all that its header tells."""
    with _readable(data) as image:
        _check(image, max_megapixels)
        yield image


@contextmanager
def _readable(data: bytes | Path) -> Iterator[ImageFile]:
    """A picture of one of our formats, its header read.

    Pillow raises a dozen kinds of exception on broken data; here they become one.
    """
    from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

    Image.preinit()  # the other formats
    _ = TiffImagePlugin, WebPImagePlugin  # imported, so that Pillow knows them
    with _own_words():
        try:
            image = Image.open(data if isinstance(data, Path) else _file_of(data), formats=FORMATS)
        except UnidentifiedImageError:
            raise UnreadableImage(_why_unknown(data)) from None
        with image:
            yield image


def _check(image: Image, max_megapixels: float) -> None:
    reason = too_large(*image.size, max_megapixels) or _many_frames(image)
    if reason is not None:
        raise UnreadableImage(reason)


@contextmanager
def _own_words() -> Iterator[None]:
    """Under our rules; whatever Pillow raises becomes an UnreadableImage."""
    with own_rules:
        try:
            yield
        except UnreadableImage:
            raise
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise UnreadableImage(f"the picture is damaged: {reason}") from error


def _upright(image: Image) -> Image:
    from PIL.Image import Transpose

    rgb = _rgb(image)
    turn = _TURNS.get(_orientation(image))
    return rgb if turn is None else rgb.transpose(Transpose(turn))


def _many_frames(image: Image) -> str | None:
    frames = getattr(image, "n_frames", 1)
    # What follows the first frame of an MPO is an extra: depth, a second eye.
    if frames == 1 or image.format == "MPO":
        return None
    return f"the picture has {frames} frames; save the one you mean as its own file"


def _rgb(image: Image) -> Image:
    """Any mode to RGB; loads the pixels."""
    from PIL import Image as Images

    image.load()
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format in _WIDE):
        return _from_sixteen_bit(image)
    if image.mode in ("I", "F"):
        raise UnreadableImage(f"pixels of mode {image.mode} (32 bits) have no known range; save it with 8 or 16 bits")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Images.new("RGBA", image.size, "white")
        return Images.alpha_composite(white, rgba).convert("RGB")
    return image.copy() if image.mode == "RGB" else image.convert("RGB")


def _from_sixteen_bit(image: Image) -> Image:
    """Scale 0..65535 to 0..255; Pillow's own conversion would clip."""
    import numpy as np
    from PIL import Image as Images

    wide = np.asarray(image).astype(np.uint32)
    grey = ((wide + 128) // 257).astype(np.uint8)
    return Images.fromarray(grey).convert("RGB")


def _orientation(image: Image) -> int:
    """The EXIF orientation of a loaded picture; 1 if there is none or its EXIF is damaged, as viewers do."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _why_unknown(data: bytes | Path) -> str:
    head = _head(data)
    if not head:
        return "the file is empty"
    if head[4:8] == b"ftyp":
        return "HEIC, AVIF and films are not read; save it as JPEG or PNG"
    return f"not a picture in a format that is read here ({', '.join(FORMATS)})"


def _head(data: bytes | Path) -> bytes:
    if isinstance(data, bytes):
        return data[:12]
    with data.open("rb") as file:
        return file.read(12)


def _file_of(data: bytes) -> BytesIO:
    # A JPEG is read from its beginning to its end, so that a short one is in so many pieces at most by itself.
    return BytesIO(data) if data.startswith(_JPEG) and len(data) <= MOST_READS else _Pieces(data)


class _Pieces(BytesIO):
    """Bytes of a picture; made of nothing but pieces, 32 MB of them would keep Pillow busy for most of a minute."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > MOST_READS:
            raise UnreadableImage(f"the picture is damaged: it is in more than {MOST_READS:,} pieces")
        return super().read(size)


class _OwnRules:
    """While any thread decodes: no warnings of Pillow, no truncated files, our limit instead of Pillow's.

    All three are process-wide, so the first thread in sets them and the last one out puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        from PIL import Image, ImageFile

        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
                Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b")

    def __exit__(self, *exception: object) -> None:
        from PIL import Image, ImageFile

        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._warnings.__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = self._before


own_rules = _OwnRules()  # to be entered around many pictures by who wants to change them once
