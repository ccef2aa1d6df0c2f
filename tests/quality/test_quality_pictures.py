"""Each check of pictures finds the fault that is planted, names it, and finds nothing without it."""

import numpy as np
import pytest

from tests.quality import drawn
from totalml.quality import Blur, Exposure, LabelAgreement, NearDuplicates, PictureSizes
from totalml.quality.report import Finding

ALL = (NearDuplicates(), Exposure(), Blur(), PictureSizes(), LabelAgreement())


def found(check, snapshot, splits, pictures):
    return list(check.findings(snapshot, splits, pictures))


@pytest.fixture
def copied(snapshot_of, splits_of, pictures_of):
    """40 photos with a label each, and the first of them again, compressed; all in train, but the copy in `where`."""

    def make(where="e", label="a", blob="copy"):
        originals = drawn.photos(40)
        images = np.concatenate([originals, [drawn.compressed(originals[0])]])
        content = [f"file {k}" for k in range(40)] + [blob]
        return snapshot_of(["a"] * 40 + [label], content=content), splits_of("t" * 40 + where), pictures_of(images)

    return make


def test_a_near_duplicate_across_splits_is_named(copied):
    [finding] = found(NearDuplicates(max_share=0.5, level="stop"), *copied())
    assert "near duplicates across splits: 1 time the same photo" in finding.message
    assert "2 samples; 1 time in train and test" in finding.message
    assert (finding.level, finding.samples) == ("stop", ("s0000", "s0040"))


def test_a_near_duplicate_with_another_label_is_named(copied):
    [finding] = found(NearDuplicates(max_share=0.5), *copied("t", "b"))
    assert "1 photo has more than one label, over 2 files" in finding.message
    assert finding.samples == ("s0000", "s0040")


def test_many_near_duplicates_are_too_many(copied):
    assert found(NearDuplicates(max_share=0.03), *copied("t")) == []
    [finding] = found(NearDuplicates(max_share=0.02), *copied("t"))
    assert "1 of 41 pictures (2.4%) repeat the photo of an earlier one, more than max_share 0.02" in finding.message


def test_equal_files_are_left_to_the_check_of_equal_files(copied):
    assert found(NearDuplicates(max_share=0), *copied(blob="file 0")) == []


def test_dark_bright_and_flat_pictures_are_named(snapshot_of, splits_of, pictures_of):
    images = drawn.photos(20)
    images[3], images[5], images[7] = images[3] // 20, 255 - images[5] // 20, 128
    dark, bright, flat = found(
        Exposure(min_contrast=1), snapshot_of(["a"] * 20), splits_of("t" * 20), pictures_of(images)
    )
    assert "1 of 20 pictures is too dark" in dark.message
    assert "1 of 20 pictures is too bright" in bright.message
    assert "1 of 20 pictures is flat" in flat.message
    assert [one.samples for one in (dark, bright, flat)] == [("s0003",), ("s0005",), ("s0007",)]
    assert dark.told(3).endswith("remove those at fault. Samples: 's0003'.")


def test_a_finding_names_its_first_samples_once():
    many = Finding("Blur", "warn", "4 pictures are blurred.", ("a", "b", "c", "d"))
    assert many.told(3) == "Blur: 4 pictures are blurred. Samples: 'a', 'b', 'c', ..."
    assert many.told(4) == "Blur: 4 pictures are blurred. Samples: 'a', 'b', 'c', 'd'."
    named = Finding("DoubtfulLabels", "warn", "The worst: 'a' is 'x' and looks 'y'.", ("a",))
    assert named.told(3) == "DoubtfulLabels: The worst: 'a' is 'x' and looks 'y'."


def test_small_and_long_pictures_are_named(snapshot_of, splits_of, pictures_of):
    pictures = pictures_of(drawn.photos(4), [(100, 100), (23, 50), (0, 0), (400, 100)])
    small, long = found(PictureSizes(), snapshot_of(["a"] * 4), splits_of("tttt"), pictures)
    assert "1 of 3 pictures has a side under 24 px" in small.message
    assert "1 of 3 pictures is more than 3 times as long as wide" in long.message
    assert (small.samples, long.samples) == (("s0001",), ("s0003",))
    assert found(PictureSizes(min_side_px=20, max_aspect=4), snapshot_of(["a"] * 4), splits_of("tttt"), pictures) == []


def test_a_blurred_picture_is_named(snapshot_of, splits_of, pictures_of):
    images = drawn.photos(60)
    images[11] = drawn.blurred(images[11])
    [finding] = found(Blur(), snapshot_of(["a"] * 60), splits_of("t" * 60), pictures_of(images))
    assert "1 of 60 pictures is blurred" in finding.message
    assert finding.samples == ("s0011",)


def test_dim_light_is_no_blur(snapshot_of, splits_of, pictures_of):
    images = drawn.photos(60)
    images[11] //= 4
    assert found(Blur(), snapshot_of(["a"] * 60), splits_of("t" * 60), pictures_of(images)) == []


def test_an_age_group_with_blurred_photos_is_named_and_no_other(snapshot_of, splits_of, pictures_of):
    images = drawn.photos(200)
    age = ["18-25", "26-40", "41-60", "61+"] * 50
    pub = (["Mulligan's"] * 4 + ["Grogan's"] * 4) * 25
    for row in range(3, 200, 4):
        images[row] = drawn.blurred(images[row])
    snapshot = snapshot_of(["a"] * 200, age_group=age, pub=pub)
    [finding] = found(Blur(deviations=50), snapshot, splits_of("t" * 200), pictures_of(images))
    assert "the photos of age_group '61+' are blurred: 100% of the time one of its 50" in finding.message
    assert "after correction for 6 groups" in finding.message
    assert all(int(name[1:]) % 4 == 3 for name in finding.samples)


def test_only_the_named_columns_are_compared_and_a_misspelt_one_stops_the_run(snapshot_of, splits_of, pictures_of):
    images = drawn.photos(100)
    images[1::2] = [drawn.blurred(one) for one in images[1::2]]
    snapshot = snapshot_of(["a"] * 100, age=["old", "young"] * 50, pub=["x"] * 50 + ["y"] * 50)
    asked = snapshot, splits_of("t" * 100), pictures_of(images)
    assert found(Blur(by=("pub",)), *asked) == []
    for check in (Blur(by=("agee",)), LabelAgreement(by=("agee",))):
        [finding] = found(check, *asked)
        assert finding.level == "stop"
        assert "no column 'agee'; did you mean 'age'?" in finding.message


@pytest.mark.parametrize("check", ALL)
@pytest.mark.parametrize("count", [0, 1, 30])
def test_clean_pictures_have_no_findings_however_few(check, count, snapshot_of, splits_of, pictures_of):
    labels, pubs = (["a", "b", "a"] * count)[:count], (["x", "y"] * count)[:count]
    images = drawn.photos(count + 1)[:count]
    assert found(check, snapshot_of(labels, pub=pubs), splits_of("t" * count), pictures_of(images)) == []
