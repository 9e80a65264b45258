"""The encoder's layers as they are shipped beside this module: those of multilingual-e5-small with fewer inner units, in bytes.

Model: Wang et al. 2024, https://arxiv.org/abs/2402.05672, MIT licence. How these layers were made of it, and what that costs:
docs/decisions/0022-fewer-units.md, teaching/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

SHIPPED = Path(__file__).with_name("layers.npz")


class Layers:
    """Arrays by their names: of a matrix "l0.fi" its numbers, scales and bias, of a norm "l0.aln" its w and b."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Raises OSError for a file that cannot be read, ValueError for one of another kind."""
        try:
            with np.load(path) as stored:
                self._held: dict[str, NDArray[Any]] = dict(stored)
        except (BadZipFile, EOFError, ValueError, TypeError) as fault:
            raise ValueError(f"{path} does not hold the layers of a sentence encoder") from fault
        self.count = sum(name.endswith(".qkv.numbers") for name in self._held)
        if not self.count:
            raise ValueError(f"{path} does not hold the layers of a sentence encoder")

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Raises KeyError for a name that the file does not know."""
        return self._held[name]
