"""Makes the encoder's layers anew. An hour and a half on two cores.

Usage: python -m teaching FRENCH ENGLISH [--to FILE]
FRENCH, ENGLISH: the folders "package" of the npm packages fr-corpus 0.0.1 and nlp-corpus 4.4.0 (both MIT licence), unpacked.
Afterwards everything that was learnt from the encoder's vectors is to be learnt again: accueil learn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from bot.errors import AccueilError
from bot.library.encoder.layers import SHIPPED
from teaching.distil import STEPS, Go, taught
from teaching.network import WEIGHTS, Layer, embedded, original, pooled, states
from teaching.prune import pruned
from teaching.texts import texts

# of a hundred batches, how many are of which texts
BROAD = {
    "phrases": 27,
    "restored": 20,
    "messages": 8,
    "messages restored": 5,
    "hasty": 13,
    "French": 15,
    "plain French": 5,
    "English": 7,
}
NARROW = BROAD | {
    "phrases": 31,
    "restored": 22,
    "messages": 11,
    "messages restored": 7,
    "French": 8,
    "plain French": 3,
    "English": 5,
}
GOES = (
    Go(45, 3e-4, BROAD, {6: 0.7, 12: 1.5}, rounded=False),
    Go(26, 2e-4, NARROW, {6: 2.0, 12: 4.0}, rounded=True),
)
CUT_BY = {"phrases": 1500, "restored": 1000, "messages": 1200, "French": 300}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("french", type=Path)
    asked.add_argument("english", type=Path)
    asked.add_argument("--to", type=Path, default=SHIPPED)
    named = asked.parse_args()
    try:
        found = texts(Path("knowledge"), named.french, named.english)
    except (OSError, AccueilError) as fault:
        sys.exit(str(fault))
    apart, teacher = found["apart"], original()
    pupil = pruned(teacher, [text for name, count in CUT_BY.items() for text in found[name][:count]])
    print("cut:", _alike(pupil, teacher, apart), flush=True)
    for go in GOES:
        pupil = taught(pupil, teacher, found, go)
        print("taught:", _alike(pupil, teacher, apart), flush=True)
    np.savez(named.to, **_bytes(pupil))
    print(f"{named.to} is written")


@torch.no_grad()
def _alike(pupil: Sequence[Layer], teacher: Sequence[Layer], some: Sequence[str]) -> str:
    """The cosine of both's vectors, less the mean, after the sixth and the last layer."""
    rows, there = embedded(some)
    both = zip(*(list(states(one, rows, there)) for one in (pupil, teacher)), strict=True)
    vectors = [[pooled(one, there) for one in pair] for n, pair in enumerate(both, 1) if n in (6, 12)]
    near = [functional.cosine_similarity(ours - theirs.mean(0), theirs - theirs.mean(0)).mean() for ours, theirs in vectors]
    return ", ".join(f"{one:.4f}" for one in near)


def _bytes(layers: Sequence[Layer]) -> dict[str, np.ndarray]:
    """As ``bot/library/encoder/layers.py`` reads them: each column of a matrix in bytes, with a scale of its own."""
    found = {f"emb.ln.{part}": WEIGHTS.tensor(f"emb.ln.{part}") for part in "wb"}
    for n, layer in enumerate(layers):
        for name, (weight, bias) in layer.items():
            if weight.ndim == 1:
                parts = {"w": weight.numpy(), "b": bias.numpy()}
            else:
                scales = (weight.abs().amax(1) / STEPS).numpy()
                numbers = np.rint(weight.numpy() / scales[:, None]).astype(np.int8)
                parts = {"numbers": np.ascontiguousarray(numbers.T), "scales": scales, "bias": bias.numpy()}
            found |= {f"l{n}.{name}.{part}": values for part, values in parts.items()}
    return found


if __name__ == "__main__":
    main()
