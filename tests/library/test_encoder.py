"""The sentence encoder as the service holds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bot.library.encoder import WIDTH, Encoder


def test_it_is_loaded_before_anybody_asks_so_that_threads_share_one(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path)
    model = encoder._use._backend  # the package loads at the first text, in each thread that comes before it is done
    assert model is not None
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: encoder([f"à quelle heure {n % 2}"]), range(8)))
    assert encoder._use._backend is model
    assert all(row.shape == (1, WIDTH) for row in found)
    np.testing.assert_array_equal(found[0], found[2])
