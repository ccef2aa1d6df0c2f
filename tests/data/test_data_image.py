import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, features

from totalml.data.image import UnreadableImage, as_decoded, decode, inspect, own_rules, pgm, ppm

LIMIT = 10.0


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    sink = BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def pixels(data: bytes, **options: object) -> np.ndarray:
    image = decode(data, LIMIT, **options)
    assert image.mode == "RGB"
    assert inspect(data, LIMIT) == image.size
    return np.asarray(image).astype(int)


def smooth(height: int = 40, width: int = 60) -> np.ndarray:
    """A colour ramp, which JPEG keeps well."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([y * 255 // height, x * 255 // width, (x + y) * 255 // (height + width)], 2).astype(np.uint8)


RAMP = Image.fromarray(smooth())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_pixels_back(kind):
    assert (pixels(save(RAMP, kind)) == smooth()).all()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_give_nearly_the_pixels_back(kind):
    assert np.abs(pixels(save(RAMP, kind, quality=95)) - smooth()).mean() < 3


def test_netpbm_gives_the_pixels_back_and_has_the_bytes_of_the_standard():
    assert ppm(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)) == b"P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06"
    assert pgm(np.array([[7], [8], [9]], np.uint8)) == b"P5\n1 3\n255\n\x07\x08\x09"
    assert (pixels(ppm(smooth())) == smooth()).all()
    assert (pixels(pgm(smooth()[:, :, 0])) == smooth()[:, :, :1]).all()


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3)), np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2), np.uint8)])
def test_other_arrays_are_not_written_as_colour(wrong):
    with pytest.raises(ValueError, match="expected uint8"):
        ppm(wrong)


def test_cmyk_of_adobe_keeps_its_colours():
    red, white, black = (0, 255, 255, 0), (0, 0, 0, 0), (0, 0, 0, 255)
    image = Image.new("CMYK", (48, 16))
    for place, colour in enumerate((red, white, black)):
        image.paste(colour, (place * 16, 0, place * 16 + 16, 16))
    data = save(image, "JPEG", quality=95)
    assert b"Adobe" in data
    found = pixels(data)[8, [8, 24, 40]]
    assert np.abs(found - [[255, 0, 0], [255, 255, 255], [0, 0, 0]]).max() < 8


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind):
    wide = np.linspace(0, 65535, 64 * 8).astype(np.uint16).reshape(8, 64)
    found = pixels(save(Image.fromarray(wide), kind))
    assert np.abs(found[:, :, 0] - wide / 257).max() <= 0.5
    assert (found == found[:, :, :1]).all()


def test_sixteen_bit_colour_is_scaled():
    # A PNG of one row, written by hand: Pillow does not save 16-bit colour.
    import zlib

    wide = np.array([[[0, 65535, 32768], [65535, 256, 0]]], ">u2")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(b"\0" + wide.tobytes())), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    assert np.abs(pixels(data) - wide / 257).max() <= 1


def test_a_palette_gives_its_colours():
    palette = RAMP.quantize(16)
    assert (pixels(save(palette, "PNG")) == np.asarray(palette.convert("RGB"))).all()
    assert (pixels(save(palette, "GIF")) == np.asarray(palette.convert("RGB"))).all()


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"])
def test_a_transparent_palette_colour_becomes_white(transparency):
    image = Image.new("P", (4, 2), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(0, (0, 0, 2, 2))
    found = pixels(save(image, "PNG", transparency=transparency))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 3].tolist() == [200, 100, 50]


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (100, 50, 0, 128)), ("LA", (100, 128))])
def test_alpha_is_blended_with_white(mode, colour):
    found = pixels(save(Image.new(mode, (3, 3), colour), "PNG"))[1, 1]
    expected = [255 + (value - 255) * 128 / 255 for value in (colour[:3] if mode == "RGBA" else colour[:1] * 3)]
    assert np.abs(found - expected).max() <= 1


def test_a_transparent_colour_of_an_opaque_mode_becomes_white():
    image = Image.new("RGB", (2, 1), (1, 2, 3))
    image.putpixel((1, 0), (9, 9, 9))
    assert pixels(save(image, "PNG", transparency=(1, 2, 3))).tolist() == [[[255] * 3, [9] * 3]]


def test_one_bit_pictures_are_black_and_white():
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    for kind in ("PNG", "TIFF", "PPM"):
        assert pixels(save(image, kind)).tolist() == [[[0] * 3, [255] * 3]]


# The upper left corner of the stored picture goes to this corner when shown (EXIF 2.3, tag 274).
CORNERS = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}


@pytest.mark.parametrize("orientation", CORNERS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_rotated_photo_is_shown_upright(orientation, kind, mode):
    if (kind, mode) == ("JPEG", "RGBA"):
        mode = "CMYK"
    stored = Image.new("RGB", (48, 16), "black")
    stored.paste("white", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"WEBP": {"lossless": True}}.get(kind, {})
    found = pixels(save(stored.convert(mode), kind, exif=exif, **lossless))
    assert found.shape[:2] == ((16, 48) if orientation < 5 else (48, 16))
    assert found[CORNERS[orientation]].min() > 240
    assert found.mean() < 40


def test_a_damaged_exif_block_does_not_hide_the_photo():
    data = save(RAMP, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)
    assert pixels(data).shape == (40, 60, 3)


def _of_pieces(kind):
    """A picture that begins with a million of the least pieces its format knows."""
    whole = save(Image.new("RGB", (2, 2)), kind)
    after, piece = {"JPEG": (2, b"\xff\xfe\0\2"), "PNG": (33, b"\0\0\0\0abCd" + zlib.crc32(b"abCd").to_bytes(4))}[kind]
    return whole[:after] + piece * 1_000_000 + whole[after:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_of_nothing_but_pieces_is_refused_before_it_takes_a_minute(kind):
    with pytest.raises(UnreadableImage, match="more than 262,144 pieces"):
        decode(_of_pieces(kind), 1.0)


def test_a_short_jpeg_of_nothing_but_pieces_is_read():
    whole = save(Image.new("RGB", (2, 2), "red"), "JPEG")
    assert (pixels(whole[:2] + b"\xff\xfe\0\2" * 20_000 + whole[2:]) == pixels(whole)).all()


def test_a_picture_that_is_given_is_copied():
    given = Image.new("RGB", (2, 2), "red")
    as_decoded(given, LIMIT).putpixel((0, 0), (0, 0, 255))
    assert given.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_a_moving_picture_is_refused_and_its_frames_counted(kind):
    if kind == "WEBP" and not features.check("webp"):
        pytest.skip("this Pillow reads no WebP")
    frames = [Image.new("RGB", (8, 8), (number * 20, 0, 0)) for number in range(12)]
    data = save(frames[0], kind, save_all=True, append_images=frames[1:])
    for read in (decode, inspect):
        with pytest.raises(UnreadableImage, match="12 frames; save the one you mean"):
            read(data, LIMIT)


def test_a_phone_picture_with_extras_gives_the_picture_itself():
    data = save(RAMP, "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40), "blue")], quality=95)
    assert Image.open(BytesIO(data)).format == "MPO"
    assert np.abs(pixels(data) - smooth()).mean() < 3


@cache
def noisy(kind: str, size: tuple[int, int]) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return save(Image.fromarray(noise), kind)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize("size", [(200, 150), (600, 400)])
def test_a_truncated_picture_is_refused(kind, share, size):
    data = noisy(kind, size)
    for read in (decode, inspect):
        with pytest.raises(UnreadableImage):
            read(data[: int(len(data) * share)], LIMIT)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_progressive_jpeg_is_refused(share):
    data = save(Image.fromarray(smooth(400, 600)), "JPEG", progressive=True, quality=95)
    with pytest.raises(UnreadableImage, match="truncated"):
        inspect(data[: int(len(data) * share)], LIMIT)


def test_a_truncated_picture_is_refused_even_if_the_process_allows_them(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = save(Image.fromarray(smooth(400, 600)), "JPEG")
    with pytest.raises(UnreadableImage):
        inspect(data[: len(data) // 2], LIMIT)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"Dear diary, this is no picture", "not a picture in a format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not a picture in a format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\x89PNG\r\n\x1a\n", "."),
        (b"\xff\xd8\xff", "."),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(data, reason, tmp_path):
    (tmp_path / "file").write_bytes(data)
    for source in (data, tmp_path / "file"):
        with pytest.raises(UnreadableImage, match=reason):
            inspect(source, LIMIT)


def test_a_decompression_bomb_is_refused_before_a_pixel_is_decoded(monkeypatch):
    # 400 megapixels in 50 KB of PNG; decoding them would take over a second and 400 MB.
    bomb = save(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    for read in (decode, inspect):
        with pytest.raises(UnreadableImage, match=r"20000 x 20000 px = 400.0 megapixels; data.max_megapixels is 100"):
            read(bomb, 100.0)


def test_the_limit_of_the_recipe_rules_and_not_that_of_pillow(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode(save(RAMP, "PNG"), 0.0024).size == (60, 40)
    with pytest.raises(UnreadableImage, match=r"60 x 40 px = 0\.0 megapixels"):
        decode(save(RAMP, "PNG"), 0.0023)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_a_known_range_are_refused(mode):
    data = save(Image.new(mode, (4, 4), 7), "TIFF")
    for read in (decode, inspect):
        with pytest.raises(UnreadableImage, match="no known range"):
            read(data, LIMIT)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_anywhere_gives_pixels_or_a_reason_and_never_another_error(data):
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "MPO"]))
    whole = bytearray(save(RAMP, kind))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert readable(inspect, bytes(whole)) in (False, readable(decode, bytes(whole)))


@pytest.mark.parametrize("progressive", [False, True])
def test_what_the_cheap_look_accepts_can_be_decoded_wherever_a_jpeg_was_cut(progressive):
    data = save(RAMP, "JPEG", progressive=progressive)
    for end in range(len(data) - 300, len(data)):
        assert readable(inspect, data[:end]) == readable(decode, data[:end])
        if readable(decode, data[:end]):
            assert (pixels(data[:end]) == pixels(data)).all()


def readable(read, data):
    """Any other exception than UnreadableImage fails the test."""
    try:
        return bool(read(data, LIMIT))
    except UnreadableImage:
        return False


def test_many_threads_leave_the_process_as_it_was():
    broken = save(RAMP, "JPEG")[:500]
    before = (list(warnings.filters), Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)

    def look(number: int) -> bool:
        try:
            return inspect(broken if number % 3 else save(RAMP, "PNG"), LIMIT) == (60, 40)
        except UnreadableImage:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(look, range(300))) == 100
    assert (list(warnings.filters), Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == before


def test_the_rules_hold_until_the_last_thread_is_out():
    with own_rules:
        decode(save(RAMP, "PNG"), LIMIT)
        assert Image.MAX_IMAGE_PIXELS is None
    assert Image.MAX_IMAGE_PIXELS is not None


def test_a_warning_of_pillow_does_not_become_an_error():
    # 'should be converted to RGBA images', and an EXIF block that ends early.
    image = Image.new("P", (4, 4))
    assert decode(save(image, "PNG", transparency=bytes([0, 128, 255])), LIMIT).size == (4, 4)
    assert decode(save(RAMP, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0"), LIMIT).size == (60, 40)


def test_a_large_jpeg_may_be_decoded_small():
    data = save(Image.fromarray(smooth(800, 1200)), "JPEG", quality=95)
    small = decode(data, LIMIT, at_least=100)
    assert small.size == (150, 100)
    assert decode(data, LIMIT, at_least=101).size == (300, 200)
    expected = np.asarray(Image.fromarray(smooth(800, 1200)).resize((150, 100), Image.Resampling.BOX)).astype(int)
    assert np.abs(np.asarray(small).astype(int) - expected).mean() < 3


def test_a_picture_is_independent_of_the_bytes_it_came_from():
    image = decode(save(RAMP, "PNG"), LIMIT)
    assert type(image) is Image.Image
    assert (np.asarray(image) == smooth()).all()
