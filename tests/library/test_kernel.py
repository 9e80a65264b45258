"""What ONNX Runtime tells is what the kernel ridge tells in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from bot.core import ridge
from bot.core.calibrate import softmax
from bot.core.lexicon import Floats
from bot.library import kernel, shelf
from bot.library.kernel import teller
from bot.library.learnt import FILE, read_learnt

FOLDER = Path(__file__).parent.parent.parent / "knowledge"
EDGES = (slice(0, 24), slice(24, 64), slice(64, 80))
CLASSES = 5


def rows(count: int, seed: int) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Rows about the middle of their class, each view of length 1."""
    chosen = np.random.default_rng(seed)
    middles = np.random.default_rng(0).standard_normal((CLASSES, 80))
    own = chosen.integers(0, CLASSES, count)
    found = middles[own] + 0.7 * chosen.standard_normal((count, 80))
    for edge in EDGES:
        found[:, edge] /= np.linalg.norm(found[:, edge], axis=1, keepdims=True)
    return found.astype(np.float32), own


def test_they_agree() -> None:
    model, _ = ridge.learnt(*rows(400, 1), CLASSES, EDGES)
    asked, own = rows(50, 2)
    told, exact = teller(model)(asked), model.scores(asked)
    np.testing.assert_allclose(told, model.told(asked), atol=0.03)
    ours = model.weighed(told)
    np.testing.assert_allclose(softmax(ours), softmax(exact), atol=0.03)
    assert (exact.argmax(1) == own).mean() > 0.9
    assert (ours.argmax(1) == exact.argmax(1)).all()


def test_a_model_of_the_letters_alone_tells_too() -> None:
    features, own = rows(200, 3)
    model, _ = ridge.learnt(features[:, EDGES[0]], own, CLASSES, EDGES[:1])
    asked = rows(20, 4)[0][:, EDGES[0]]
    np.testing.assert_allclose(teller(model)(asked), model.told(asked), atol=0.03)
    assert teller(model)(asked[:0]).shape == (0, 1, CLASSES)


def test_of_what_was_learnt_from_the_knowledge_it_says_what_numpy_says() -> None:
    learnt = read_learnt(FOLDER / FILE)
    assert learnt is not None
    known = learnt.model
    asked = ridge.restored(known.centres[:: len(known.centres) // 70])
    asked += 0.02 * np.random.default_rng(5).standard_normal(asked.shape, np.float32)  # no phrase itself
    ours, exact = softmax(known.weighed(teller(known)(asked))), softmax(known.scores(asked))
    np.testing.assert_allclose(ours, exact, atol=0.03)
    assert (ours.argmax(1) == exact.argmax(1)).mean() > 0.97


def test_a_processor_that_reckons_otherwise_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    features, own = rows(200, 6)
    model, _ = ridge.learnt(features, own, CLASSES, EDGES)
    true = kernel._teller
    monkeypatch.setattr(kernel, "_teller", lambda model: lambda asked: true(model)(asked)[:, :, ::-1])
    with pytest.raises(ArithmeticError, match="scores differ by"):
        teller(model)
    with capture_logs() as told:
        tell = shelf._teller(model)
    np.testing.assert_array_equal(tell(features), model.told(features))
    assert [line["event"] for line in told] == ["scores are found more slowly"]


def test_no_sum_of_the_centres_overflows_and_one_that_did_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VNNI two products are added in 16 bits, which saturate (VPMADDUBSW)."""
    learnt = read_learnt(FOLDER / FILE)
    assert learnt is not None
    some, known = slice(None, None, 8), learnt.model
    model = ridge.Ridge(known.centres[some], known.weights[some], known.bias, known.calibration, known.edges)
    hardest = kernel._hardest(model)
    np.testing.assert_allclose(saturating(model)(hardest), model.told(hardest), atol=0.05)
    larger = ridge.Ridge(model.centres * 2, model.weights, model.bias, model.calibration, model.edges)  # in twice as many steps
    monkeypatch.setattr(ridge, "STEPS", ridge.STEPS * 2)
    monkeypatch.setattr(kernel, "_teller", saturating)
    with pytest.raises(ArithmeticError, match="scores differ by"):
        teller(larger)


def saturating(model: ridge.Ridge) -> Callable[[Floats], Floats]:
    def told(features: Floats) -> Floats:
        views = []
        for edge, width, share in zip(model.edges, ridge.WIDTHS, ridge.SHARES, strict=True):
            rows, centres = features[:, edge], model.centres[:, edge].astype(np.int32)
            step = (rows.max() - rows.min()) / 255
            zero = np.rint(-rows.min() / step)
            numbers = np.clip(np.rint(rows / step) + zero, 0, 255).astype(np.int32)
            product = np.zeros((len(features), len(model.centres)))
            for n in range(0, rows.shape[1], 2):
                pair = numbers[:, n, None] * centres[:, n] + numbers[:, n + 1, None] * centres[:, n + 1]
                product += np.clip(pair, -32768, 32767)
            product -= zero * centres.sum(1)
            views.append(share * np.exp(2 * width * np.minimum(product * step / ridge.STEPS - 1, 0)) @ model.weights)
        return np.stack(views, 1).astype(np.float32)

    return told
