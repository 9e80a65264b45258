"""The encoder's network in whole numbers: some tenth of a millisecond a token on one core.

A transformer (Vaswani et al. 2017). Weights are kept in bytes, each column with a scale of its own; activations are brought to
bytes as they come. At the first and the last token of a text, its marks, one unit is ten to thirty times as large as all others.
So the marks go through the inner layers apart, with a scale of their own: with one scale for all tokens a vector is 0.976 like
that of the exact network (cosine, less the mean), so it is 0.995.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.library.encoder.layers import Layers
from bot.library.encoder.weights import Floats, Weights
from bot.library.graph import CONTRIBUTED, Graph, Session


class Network:
    """Rows of tokens to vectors of texts. Safe to share between threads."""

    def __init__(self, weights: Weights, layers: Layers, depths: Sequence[int]) -> None:
        """depths: after which layers a text's vector is taken, side by side. Raises ImportError or onnxruntime's errors."""
        if max(depths) > layers.count:
            raise ValueError(f"the encoder has {layers.count} layers, not {max(depths)}")
        graph, found = _Layers(weights, layers), list[str]()
        rows = graph.norm("rows", "emb.ln", "embedded")
        for n in range(max(depths)):
            rows = graph.layer(n, rows)
            if n + 1 in depths:
                found.append(graph.add("MatMul", ["shares", rows], f"vectors{n}"))
        output = graph.add("Concat", found, "vectors", axis=1)
        inputs = {
            "rows": ("float", [None, weights.width]),
            "counts": ("int64", [2]),  # of words' tokens, and of marks
            "places": ("int64", [None, None]),
            "there": ("int32", [None, None]),
            "back": ("int64", [None]),
            "shares": ("float", [None, None]),
        }
        self._session = Session(graph, inputs, output, [None, weights.width * len(depths)])

    def __call__(self, rows: Floats, lengths: NDArray[np.intp]) -> Floats:
        """rows: of all texts' tokens, one text after the other; lengths: tokens of each. The mean of each text's tokens."""
        ends = np.cumsum(lengths)
        at, marks = np.arange(lengths.max()), np.zeros(len(rows), bool)
        marks[ends - 1] = marks[ends - lengths] = True
        order = np.argsort(marks, kind="stable")  # the marks of all texts stand behind all words
        there = at < lengths[:, None]
        places = np.zeros(there.shape, np.int64)
        places[there] = np.argsort(order)
        owner = np.repeat(np.arange(len(lengths)), lengths)[order]
        return self._session(
            rows=rows[order],
            counts=np.bincount(marks, minlength=2),
            places=places,
            there=there.astype(np.int32),
            back=np.flatnonzero(there)[order],
            shares=((owner == np.arange(len(lengths))[:, None]) / lengths[:, None]).astype(np.float32),
        )


class _Layers(Graph):
    """Layers of the network, by the names of their weights. Tokens stand one below the other; only where those of a text look at
    each other do texts stand side by side, shorter ones filled up."""

    def __init__(self, weights: Weights, layers: Layers) -> None:
        super().__init__()
        self._weights, self._layers = weights, layers

    def layer(self, n: int, rows: str) -> str:
        """What the tokens of a text say to each other, then what each makes of it."""
        asked = self.linear(rows, self._weighed(f"l{n}.qkv"), f"asked{n}")
        beside = self.add("Gather", [asked, "places"], f"beside{n}", axis=0)
        three = [f"query{n}", f"key{n}", f"value{n}"]
        self.add("Split", [beside], *three, axis=2, num_outputs=3)
        heads = {"num_heads": self._weights.heads, "domain": CONTRIBUTED}
        heard = self.add("MultiHeadAttention", [*three, "", "there"], f"heard{n}", **heads)
        below = self.add("Gather", [self.add("Flatten", [heard], f"flat{n}", axis=2), "back"], f"below{n}", axis=0)
        told = self.linear(below, self._weighed(f"l{n}.ao"), f"told{n}")
        rows = self.norm(self.add("Add", [rows, told], f"sum{n}"), f"l{n}.aln", f"attended{n}")

        apart = [f"words{n}", f"marks{n}"]
        self.add("Split", [rows, "counts"], *apart, axis=0)
        held = self._weighed(f"l{n}.fi"), self._weighed(f"l{n}.fo")
        closed = self.add("Concat", [self._opened(some, *held) for some in apart], f"closed{n}", axis=0)
        return self.norm(self.add("Add", [rows, closed], f"total{n}"), f"l{n}.oln", f"layer{n}")

    def _opened(self, rows: str, opening: Sequence[str], closing: Sequence[str]) -> str:
        """What each token makes of what it heard."""
        opened = self.linear(rows, opening, f"opened.{rows}")
        return self.linear(self.add("Gelu", [opened], f"bent.{rows}", domain=CONTRIBUTED), closing, f"closed.{rows}")

    def norm(self, rows: str, name: str, output: str) -> str:
        held = [self.hold(f"{name}.{part}", self._layers[f"{name}.{part}"]) for part in "wb"]
        return self.add("LayerNormalization", [rows, *held], output, axis=-1, epsilon=self._weights.epsilon)

    def linear(self, rows: str, held: Sequence[str], output: str) -> str:
        return self.add("DynamicQuantizeMatMul", [rows, *held], output, domain=CONTRIBUTED)

    def _weighed(self, name: str) -> list[str]:
        """Weights in bytes, each column's scale and zero, and what is added."""
        numbers, scales, bias = (self._layers[f"{name}.{part}"] for part in ("numbers", "scales", "bias"))
        held = {"numbers": numbers, "scales": scales, "zeros": np.zeros(len(scales), np.int8), "bias": bias}
        return [self.hold(f"{name}.{part}", values) for part, values in held.items()]
