"""What was learnt from the phrases, kept from start to start: beside the knowledge, and in a user's cache.

``accueil learn`` writes the one beside the knowledge, which is shipped with it. A start with some other phrases learns those
on top, one with many learns anew; either is kept in the cache.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bot.core.asking import Asking
from bot.core.calibrate import Calibration
from bot.core.features import Bases
from bot.core.match import RECIPE, Learnt
from bot.core.ridge import Ridge
from bot.core.segment import Segmenter

FILE = "learnt.npz"


def read_learnt(file: Path) -> Learnt | None:
    """What a file holds; None where it is absent, damaged or of another recipe."""
    try:
        with np.load(file) as stored:
            if int(stored["recipe"]) != RECIPE:
                return None
            return _made({name: stored[name] for name in stored.files})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _made(kept: Mapping[str, NDArray[Any]]) -> Learnt:
    def wide(name: str) -> NDArray[np.float32]:
        return kept[name].astype(np.float32)

    views = range(int(kept["views"]))
    alone = tuple(wide(f"alone{n}") for n in views[1:])
    bases = Bases(wide("weights"), wide("means"), tuple(wide(f"view{n}") for n in views), alone)
    calibration = Calibration(wide("mixing"), wide("bend"), wide("shift"))
    model = Ridge(kept["centres"], wide("ridge"), wide("bias"), calibration, bases.edges)
    left_out = kept["nearest"], wide("surely")
    segmenter = Segmenter(frozenset(map(str, kept["shared"])), wide("segmenting"))
    asking = Asking(frozenset(map(str, kept["small"])), wide("asking"))
    classes = tuple(map(str, kept["classes"]))
    return Learnt(str(kept["digest"]), bases, model, classes, kept["marks"], *left_out, segmenter, asking)


def keep_learnt(file: Path, learnt: Learnt) -> None:
    """Written whole or not at all. Raises OSError where the file cannot be written, ValueError for a model that was forgotten."""
    model = learnt.model
    if len(model.centres) != len(learnt.marks):
        raise ValueError(f"{len(learnt.marks)} phrases were learnt, and {len(model.centres)} of them are still known")
    held: dict[str, Any] = {"recipe": RECIPE, "digest": learnt.digest, "classes": list(learnt.classes), "marks": learnt.marks}
    held |= {"nearest": learnt.nearest, "surely": learnt.surely.astype(np.float16)}
    held |= {"views": len(learnt.bases.views), "weights": learnt.bases.weights}
    held |= {"means": learnt.bases.means.astype(np.float16)}
    held |= {f"view{n}": view.astype(np.float16) for n, view in enumerate(learnt.bases.views)}
    held |= {f"alone{n}": basis.astype(np.float16) for n, basis in enumerate(learnt.bases.alone, 1)}
    held |= {"ridge": model.weights, "bias": model.bias}
    held |= {name: getattr(model.calibration, name) for name in ("mixing", "bend", "shift")}
    held |= {"centres": model.centres}
    held |= {"shared": sorted(learnt.segmenter.shared), "segmenting": learnt.segmenter.weights.astype(np.float16)}
    held |= {"small": sorted(learnt.asking.small), "asking": learnt.asking.weights.astype(np.float16)}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.tmp")
    with partial.open("wb") as opened:
        np.savez(opened, **held)
    partial.replace(file)
