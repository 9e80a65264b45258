"""Scores to probabilities: what it finds is likelier, right where it is known, and harmless where it cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from bot.core import calibrate
from bot.core.calibrate import Calibration, Floats, softmax

CLASSES = 4


def drawn(count: int, seed: int) -> tuple[Floats, np.ndarray]:
    """Scores whose true probabilities are known: class 3 is too loud by a third, and rises with class 0."""
    dice = np.random.default_rng(seed)
    meant = dice.standard_normal((count, CLASSES))
    own = np.array([dice.choice(CLASSES, p=row) for row in softmax(3 * meant)])
    scores = meant.copy()
    scores[:, 3] += 0.33 + 0.5 * meant[:, 0]
    return scores.astype(np.float32), own


def loss(shares: Floats, own: np.ndarray) -> float:
    return -float(np.log(shares[np.arange(len(own)), own]).mean())


def test_what_scores_of_other_classes_tell_is_found() -> None:
    found = calibrate.learnt(*drawn(4000, 1))
    scores, own = drawn(4000, 2)
    meant = scores.copy()
    meant[:, 3] -= 0.33 + 0.5 * scores[:, 0]
    plain, best = loss(softmax(3 * scores), own), loss(softmax(3 * meant), own)
    assert loss(softmax(found.raised(scores)), own) < best + 0.1 * (plain - best)
    assert found.mixing[0, 3] - found.mixing[0, 1:3].mean() == pytest.approx(-1.5, abs=0.5)  # three times a half


def test_with_few_examples_each_score_tells_of_its_own_class() -> None:
    scores, own = drawn(12, 3)
    found = calibrate.learnt(scores, own)
    off = found.mixing[~np.eye(CLASSES, dtype=bool)]
    assert np.abs(off).max() < np.diag(found.mixing).min()
    assert (softmax(found.raised(scores)).argmax(1) == scores.argmax(1)).mean() >= 0.75


def test_of_very_many_classes_none_tells_about_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "MIXED", CLASSES - 1)
    found = calibrate.learnt(*drawn(500, 4))
    assert np.count_nonzero(found.mixing) == CLASSES
    assert found.shift[3] < found.shift[:3].min()  # still found to be too loud


def test_a_class_that_came_later_tells_of_itself_alone_and_one_that_went_of_nothing() -> None:
    found = calibrate.learnt(*drawn(500, 5))
    now = found.among([2, -1, 0])
    np.testing.assert_array_equal(now.mixing[np.ix_([0, 2], [0, 2])], found.mixing[np.ix_([2, 0], [2, 0])])
    assert now.mixing[1, 1] == pytest.approx(np.diag(found.mixing).mean())
    assert not now.mixing[1, [0, 2]].any()
    assert not now.mixing[[0, 2], 1].any()
    assert now.shift.tolist() == [found.shift[2], 0.0, found.shift[0]]


def test_a_score_raises_its_own_class_in_a_line_that_bends() -> None:
    given = Calibration(np.eye(2, dtype=np.float32), np.array([1.0, 2.0], np.float32), np.array([0.5, 0.0], np.float32))
    np.testing.assert_allclose(given.raised(np.array([[2.0, -1.0]], np.float32)), [[2 + 4 + 16 + 0.5, -1 + 1 - 2]])
