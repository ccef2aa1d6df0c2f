"""The window test: false alarms by the length of a window, power on digits, seconds and memory.

Digits: those of scikit-learn, 8 px. A third trains a network of one layer; of the rest, parted anew for each window,
one half is the reference and the other what windows are drawn from. The shifts are those of Rabanser et al. 2019
(Failing Loudly) that need no gradient, at their strengths: Gaussian noise of 1, 10 and 100 grey values; rotation,
translation, shear, zoom and flips, small, medium and large; a class knocked out, alone and with medium moves; one class
alone, with medium moves; each of 10 %, 50 % and 100 % of the window. Digits have 17 grey values and no noise of their
own, so the properties see noise that the network does not. Columns: ten scores, seven properties of the picture, 32
activations. All at a nominal 5 %.
"""

import math
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from totalml.data.image_properties import image_properties
from totalml.monitoring import Observations, WindowTest
from totalml.monitoring.observations import Categories

LEVEL, Z = 0.05, 1.959964
FEW = 199  # permutations
LENGTHS = (10, 20, 50, 100, 200, 500)
SHARES = (0.1, 0.5, 1.0)
MOST_FALSE, LEAST_POWER, MOST_MS, MOST_S, MOST_MB = 0.08, 0.63, 65, 1.0, 300
ROWS, REFERENCE, COLUMNS = 1_000_000, 100_000, 20
WIDE = 77  # numbers

Pictures = NDArray[np.float64]
Says = Callable[[Observations, Observations], bool]


def print_tables(quick: bool) -> None:
    _print_false_alarms(100 if quick else 1000)
    _print_fixed_reference(20 if quick else 100)
    _print_power(1 if quick else 5)
    _print_costs(5 if quick else 15)


def ours(reference: Observations, window: Observations, permutations: int = 1000) -> bool:
    return WindowTest.fit(reference, level=LEVEL, permutations=permutations).test(window).p <= LEVEL


def scipy_ks(reference: Observations, window: Observations) -> bool:
    """Of each column and each activation, held against the level over their number."""
    sides = [_columns(reference, True), _columns(window, True)]
    return any(_ks_p(*pair) <= LEVEL / len(sides[0]) for pair in zip(*sides, strict=True))


def scipy_ks_of_scores(reference: Observations, window: Observations) -> bool:
    """Black-box shift detection with soft scores, the best of Failing Loudly."""
    names = reference.scores
    return any(_ks_p(reference.scores[n], window.scores[n]) <= LEVEL / len(names) for n in names)


def _ks_p(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    return float(stats.ks_2samp(before, now, method="asymp").pvalue)


PEERS: dict[str, Says] = {"ours": ours, "KS + Bonferroni": scipy_ks, "KS of scores": scipy_ks_of_scores}


def _columns(side: Observations, embeddings: bool) -> list[NDArray[np.float64]]:
    found = [*side.scores.values(), *side.numbers.values()]
    return [*found, *side.embeddings.T] if embeddings and side.embeddings is not None else found


def _print_false_alarms(repeats: int) -> None:
    """With few permutations: how many there are moves no share of false alarms. Peers see fewer windows."""
    counts = {name: repeats if name == "ours" else repeats // 5 for name in PEERS}
    print("False alarms at 5 %, windows of digits, parted anew: share with Wilson's 95 % bounds")
    print(f"{'rows':>6}" + "".join(f"{f'{name} of {count}':>28}" for name, count in counts.items()))
    worst = 0.0
    for length in LENGTHS:
        found = {name: sum(_alarmed(name, length, repeat) for repeat in range(counts[name])) for name in PEERS}
        worst = max(worst, wilson(found["ours"], repeats)[1])
        print(f"{length:6}" + "".join(f"{_share(each, counts[name]):>28}" for name, each in found.items()), flush=True)
    print(f"ours at most {worst:.1%} (goal: under {MOST_FALSE:.0%})\n")


def _alarmed(name: str, length: int, repeat: int) -> bool:
    every = _every()
    order = np.random.default_rng((1, length, repeat)).permutation(every.count)
    half = every.count // 2
    sides = every.take(order[:half]), every.take(order[half : half + length])
    return ours(*sides, FEW) if name == "ours" else PEERS[name](*sides)


def _print_fixed_reference(windows: int) -> None:
    print(
        f"False alarms at 5 % of references that stay, 12 with {windows} windows each: mean, and of the worst reference"
    )
    print("(4 normal numbers, one category of 5, 16 activations)")
    print(f"{'reference':>10}{'window':>8}{'mean':>22}{'worst':>8}")
    for rows, length in ((500, 500), (1000, 50), (1000, 500), (10_000, 50), (10_000, 500)):
        false = []
        for repeat in range(12):
            random = np.random.default_rng((2, rows, length, repeat))
            test = WindowTest.fit(_drawn(random, rows), level=LEVEL, permutations=FEW)
            false.append(sum(test.test(_drawn(random, length)).p <= LEVEL for _ in range(windows)))
        print(f"{rows:10,}{length:8}{_share(sum(false), 12 * windows):>22}{max(false) / windows:8.1%}", flush=True)
    print()


def _print_power(repeats: int) -> None:
    print(f"Power on digits: share of shifted windows found at 5 %, {repeats} of each shift, share and length")
    print(f"{'shift':24}" + "".join(f"{name:>18}" for name in PEERS))
    by_length = {name: dict.fromkeys(LENGTHS, 0.0) for name in PEERS}
    means = dict.fromkeys(PEERS, 0.0)
    for shift, change in SHIFTS.items():
        found = dict.fromkeys(PEERS, 0.0)
        for length in LENGTHS:
            for share in SHARES:
                for repeat in range(repeats):
                    random = np.random.default_rng((3, length, int(100 * share), repeat))
                    reference, window, labels = _parted(random, 2 * length)
                    sides = reference, _observed(change(window, labels, share, random)[:length])
                    for name, says in PEERS.items():
                        hit = says(*sides) / (len(SHARES) * repeats)
                        found[name] += hit / len(LENGTHS)
                        by_length[name][length] += hit / len(SHIFTS)
        for name, power in found.items():
            means[name] += power / len(SHIFTS)
        print(f"{shift:24}" + "".join(f"{power:18.2f}" for power in found.values()), flush=True)
    for length in LENGTHS:
        print(f"{f'all, {length} rows':24}" + "".join(f"{by_length[name][length]:18.2f}" for name in PEERS))
    print(f"{'all':24}" + "".join(f"{power:18.3f}" for power in means.values()))
    print(f"ours {means['ours']:.3f} (goal: at least {LEAST_POWER})\n")


def _noise(grey: float) -> Callable[..., Pictures]:
    def change(pictures: Pictures, labels: NDArray[np.intp], share: float, random: np.random.Generator) -> Pictures:
        return _some(pictures, share, random, lambda some: some + random.normal(0, grey, some.shape))

    return change


def _moves(degrees: float, shift: float, shear: float, zoom: float, flips: int) -> Callable[..., Pictures]:
    def moved(pictures: Pictures, random: np.random.Generator) -> Pictures:
        found = np.empty_like(pictures)
        for place, picture in enumerate(pictures):
            angle, slant = np.radians(random.uniform(-degrees, degrees)), random.uniform(-shear, shear)
            scale = random.uniform(1 - zoom, 1 + zoom, 2)
            turn = np.array([[math.cos(angle), -math.sin(angle + slant)], [math.sin(angle), math.cos(angle + slant)]])
            matrix = turn * scale
            middle = np.array([3.5, 3.5])
            offset = middle - matrix @ middle + random.uniform(-shift, shift, 2) * 8
            found[place] = ndimage.affine_transform(picture, matrix, offset, order=1, mode="nearest")
            for axis in range(flips):
                if random.random() < 0.5:
                    found[place] = np.flip(found[place], 1 - axis)
        return found

    def change(pictures: Pictures, labels: NDArray[np.intp], share: float, random: np.random.Generator) -> Pictures:
        return _some(pictures, share, random, lambda some: moved(some, random))

    return change


def _knocked_out(pictures: Pictures, labels: NDArray[np.intp], share: float, random: np.random.Generator) -> Pictures:
    return pictures[(labels != 0) | (random.random(len(labels)) >= share)]


def _knocked_out_and_moved(
    pictures: Pictures, labels: NDArray[np.intp], share: float, random: np.random.Generator
) -> Pictures:
    return MEDIUM(_knocked_out(pictures, labels, 1.0, random), labels, share, random)


def _only_one_and_moved(
    pictures: Pictures, labels: NDArray[np.intp], share: float, random: np.random.Generator
) -> Pictures:
    zeros = pictures[labels == 0]
    return MEDIUM(zeros[random.integers(len(zeros), size=len(pictures))], labels, share, random)


def _some(
    pictures: Pictures, share: float, random: np.random.Generator, change: Callable[[Pictures], Pictures]
) -> Pictures:
    """Those of the first rows that a window is cut from, so it holds exactly that share."""
    chosen = np.arange(len(pictures)) % 10 < round(10 * share)
    found = pictures.copy()
    found[chosen] = change(pictures[chosen])
    return found


MEDIUM = _moves(40, 0.2, 0.2, 0.2, 1)
SHIFTS: dict[str, Callable[..., Pictures]] = {
    "noise, small": _noise(1),
    "noise, medium": _noise(10),
    "noise, large": _noise(100),
    "moves, small": _moves(10, 0.05, 0.1, 0.1, 0),
    "moves, medium": MEDIUM,
    "moves, large": _moves(90, 0.4, 0.3, 0.4, 2),
    "class knocked out": _knocked_out,
    "knocked out and moves": _knocked_out_and_moved,
    "one class and moves": _only_one_and_moved,
}


@cache
def _digits() -> tuple[MLPClassifier, Pictures, NDArray[np.intp]]:
    """A network, and pictures in 0..255 with labels that it has not seen."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    pictures, labels = digits.images[order] * (255 / 16), digits.target[order]
    third = len(order) // 3
    network = MLPClassifier((32,), alpha=0.1, max_iter=1000, random_state=0)
    network.fit(pictures[:third].reshape(third, -1) / 255, labels[:third])
    return network, pictures[third:], labels[third:]


def _parted(random: np.random.Generator, most: int) -> tuple[Observations, Pictures, NDArray[np.intp]]:
    """A reference, and at most so many other pictures with their labels."""
    _, pictures, labels = _digits()
    order = random.permutation(len(labels))
    half = len(order) // 2
    others = order[half : half + most]
    return _every().take(order[:half]), pictures[others], labels[others]


@cache
def _every() -> Observations:
    return _observed(_digits()[1])


def _observed(pictures: Pictures) -> Observations:
    network, _, _ = _digits()
    bytes_ = np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
    flat = bytes_.reshape(len(pictures), -1) / 255
    hidden = np.maximum(flat @ network.coefs_[0] + network.intercepts_[0], 0)
    scores = network.predict_proba(flat)
    properties = image_properties(np.repeat(bytes_[..., None], 3, axis=3))
    return Observations(
        len(pictures),
        scores={f"score {digit}": scores[:, digit] for digit in range(10)},
        numbers={name: values.astype(np.float64) for name, values in properties.items()},
        embeddings=hidden.astype(np.float32),
    )


def _drawn(random: np.random.Generator, rows: int, embeddings: int = 16, numbers: int = 4) -> Observations:
    categories = {"pub": Categories(random.integers(0, 5, rows).astype(np.int32), tuple("abcde"))}
    return Observations(
        rows,
        numbers={f"number {place}": random.standard_normal(rows) for place in range(numbers)},
        embeddings=random.standard_normal((rows, embeddings)).astype(np.float32) if embeddings else None,
        categories=categories if embeddings else {},
    )


@dataclass(frozen=True)
class Cost:
    """Args: wall_s, cpu_s: medians of repeats; megabytes: more than before, at most."""

    wall_s: float
    cpu_s: float
    megabytes: float = math.nan


def _print_costs(repeats: int) -> None:
    print(f"500 rows against 500, 8 numbers, 1,000 permutations, median of {repeats} in ms, and CPU")
    for width in (32, 64, 128):
        random = np.random.default_rng(0)
        reference, window = (_drawn(random, 500, width, 8) for _ in range(2))
        cost = _cost_of(lambda: WindowTest.fit(reference).test(window), repeats)  # noqa: B023
        peer = _cost_of(lambda: _whole_kernel(reference, window), 3)  # noqa: B023
        print(
            f"  {width:4} activations: ours {1000 * cost.wall_s:6.0f} {1000 * cost.cpu_s:6.0f} (goal: {MOST_MS});"
            f" MMD alone with the whole kernel {1000 * peer.wall_s:6.0f} {1000 * peer.cpu_s:6.0f},"
            f" {peer.cpu_s / cost.cpu_s:.1f} times the CPU"
        )
    print(f"500 rows against 500, {WIDE} numbers, 1,000 permutations, median of {repeats} in ms of CPU")
    random = np.random.default_rng(0)
    reference, window = (_drawn(random, 500, 0, WIDE) for _ in range(2))
    cost = _cost_of(lambda: WindowTest.fit(reference).test(window), repeats)
    for name, says, repeats_of in (
        ("cumulative sums, a column at a time", lambda: _by_cumulative_sums(reference, window), 2),
        ("ks_2samp of each column, once and without permutations", lambda: scipy_ks(reference, window), repeats),
    ):
        peer = _cost_of(says, repeats_of)
        print(f"  ours {1000 * cost.cpu_s:.0f}; {name} {1000 * peer.cpu_s:.0f}, {peer.cpu_s / cost.cpu_s:.1f} times")
    print(f"{ROWS:,} rows by {COLUMNS} columns against {REFERENCE:,}, each in a process of its own")
    print(f"{'':20}{'wall s':>8}{'CPU s':>8}{'MB more':>9}{'CPU / ours':>12}")
    costs = {name: _apart(name) for name in (OURS, LOOP)}
    for name, cost in costs.items():
        ratio = cost.cpu_s / costs[OURS].cpu_s
        print(f"{name:20}{cost.wall_s:8.2f}{cost.cpu_s:8.2f}{cost.megabytes:9.0f}{ratio:12.1f}")
    print(f"ours {costs[OURS].wall_s:.2f} s, {costs[OURS].megabytes:.0f} MB (goals: {MOST_S:g} s, {MOST_MB} MB)\n")


OURS, LOOP = "ours", "a loop of ks_2samp"


def _whole_kernel(reference: Observations, window: Observations) -> NDArray[np.float32]:
    """What is usual: five kernels of all pairs, and each permutation a column of one product."""
    assert reference.embeddings is not None
    assert window.embeddings is not None
    rows = np.concatenate([reference.embeddings, window.embeddings])
    lengths = np.square(rows).sum(axis=1)
    squares = lengths[:, None] + lengths - 2 * rows @ rows.T
    kernel = sum(np.exp(-squares / np.median(squares) * np.float32(2.0**power)) for power in range(-2, 3))
    ones = np.zeros((1000, len(rows)), np.float32)
    ones[:, : len(window.embeddings)] = 1
    ones = np.random.default_rng(0).permuted(ones, axis=1).T
    return np.einsum("nb,nb->b", ones, kernel @ ones)


def _by_cumulative_sums(reference: Observations, window: Observations) -> NDArray[np.float64]:
    """What is usual: the rows of each permutation in the order of the column, summed up."""
    count, random = reference.count + window.count, np.random.default_rng(0)
    ones = np.zeros((1000, count), np.int16)
    ones[:, : window.count] = 1
    ones = random.permuted(ones, axis=1)
    expected = np.arange(1, count + 1) * (window.count / count)
    found = []
    for before, now in zip(reference.numbers.values(), window.numbers.values(), strict=True):
        order = np.argsort(np.concatenate([before, now]), kind="stable")
        found.append(np.abs(np.cumsum(ones[:, order], axis=1) - expected).max(axis=1))
    return np.array(found)


def _apart(name: str) -> Cost:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_of_a_million, (name,))


def _of_a_million(name: str) -> Cost:
    random = np.random.default_rng(0)
    reference, window = (_drawn(random, rows, 0, COLUMNS) for rows in (REFERENCE, ROWS))
    before = _peak_mb()
    says = {OURS: lambda: WindowTest.fit(reference).test(window), LOOP: lambda: scipy_ks(reference, window)}
    cost = _cost_of(says[name], 3)
    return Cost(cost.wall_s, cost.cpu_s, _peak_mb() - before)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _cost_of(once: Callable[[], object], repeats: int) -> Cost:
    found = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        once()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return Cost(*(statistics.median(each) for each in zip(*found, strict=True)))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % bounds of a share, of Wilson 1927."""
    middle = (hits + Z * Z / 2) / (count + Z * Z)
    far = Z * math.sqrt(hits * (count - hits) / count + Z * Z / 4) / (count + Z * Z)
    return middle - far, middle + far


def _share(hits: int, count: int) -> str:
    low, high = wilson(hits, count)
    return f"{hits / count:.1%} ({low:.1%} to {high:.1%})"
