"""Doubtful labels among many embeddings: seconds, memory and what is found, beside logistic regression by scikit-learn.

The embeddings are clouds that overlap, one for each class; one label in twenty is wrong.
"""

import argparse
import resource
import time

import numpy as np
import pyarrow as pa

from totalml.quality import doubtful_labels
from totalml.quality.label_noise import PARTS, REPEATS

TARGET_SHARE = 0.7  # of the wrong labels, in the most doubtful tenth
MOST_OF_THE_PEER = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=64, help="of the embeddings")
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    truth = random.integers(0, options.classes, options.samples)
    centres = 0.25 * random.standard_normal((options.classes, options.width), np.float32)
    known = random.standard_normal((options.samples, options.width), np.float32)
    for number in range(options.classes):  # so that nothing else of this size was ever in memory
        known[truth == number] += centres[number]
    wrong = random.random(options.samples) < 0.05
    label = np.where(wrong, (truth + random.integers(1, options.classes, options.samples)) % options.classes, truth)

    ids = pa.array([f"s{row:07d}" for row in range(options.samples)])
    samples = pa.table({"id": ids, "label": pa.array(label.astype(str)), "group": ids})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    table = doubtful_labels(samples, known)
    ours = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    worst = np.array([int(name[1:]) for name in table["id"][: options.samples // 10].to_pylist()])
    told("doubtful_labels", ours, wrong[worst].sum() / wrong.sum())
    print(f"memory grew by {grown:,.0f} MB; the embeddings take {known.nbytes / 2**20:,.0f} MB")
    if options.samples <= MOST_OF_THE_PEER:
        beside_a_peer(known, label, wrong, ours)


def beside_a_peer(known: np.ndarray, label: np.ndarray, wrong: np.ndarray, ours: float) -> None:
    """One repeat of the peer, which takes as much time for each."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_predict
    except ImportError:
        print("scikit-learn is not installed, so its row is missing")
        return
    start = time.process_time()
    predicted = cross_val_predict(LogisticRegression(max_iter=200), known, label, cv=PARTS, method="predict_proba")
    taken = time.process_time() - start
    worst = np.argsort(predicted[np.arange(len(label)), label], kind="stable")[: len(label) // 10]
    told("cross_val_predict, once", taken, wrong[worst].sum() / wrong.sum())
    print(f"ours takes {ours / (REPEATS * taken):.2f}x of its CPU time for {REPEATS} repeats")


def told(name: str, seconds: float, share: float) -> None:
    print(f"{name:<26}{seconds:8.2f} CPU s  {share:6.1%} of the wrong labels in a tenth; target {TARGET_SHARE:.0%}")


if __name__ == "__main__":
    main()
