"""The encoder's network in whole numbers: a tenth of a millisecond a token on one core.

A transformer (Vaswani et al. 2017). Weights are kept in bytes, each column with a scale of its own; activations are brought to
bytes as they come. At the first and the last token of a text one unit is ten to thirty times as large as all others, so what
enters the inner layers is scaled token by token: with one scale for all tokens a vector is 0.976 like that of the exact network
(cosine, less the mean), so it is 0.994.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.library.encoder.weights import Floats, Weights
from bot.library.graph import CONTRIBUTED, LAST, Graph, Session

STEPS = 63  # of a weight, on either side of nothing: with 127 the sums of processors without VNNI would overflow


class Network:
    """Rows of tokens to vectors of texts. Safe to share between threads."""

    def __init__(self, weights: Weights, depths: Sequence[int]) -> None:
        """depths: after which layers a text's vector is taken, side by side. Raises ImportError or onnxruntime's errors."""
        if max(depths) > weights.layers:
            raise ValueError(f"the encoder has {weights.layers} layers, not {max(depths)}")
        graph, found = _Layers(weights), list[str]()
        rows = graph.norm("rows", "emb.ln", "embedded")
        for n in range(max(depths)):
            rows = graph.layer(n, rows)
            if n + 1 in depths:
                found.append(graph.add("MatMul", ["shares", rows], f"vectors{n}"))
        output = graph.add("Concat", found, "vectors", axis=1)
        inputs = {
            "rows": ("float", [None, weights.width]),
            "places": ("int64", [None, None]),
            "there": ("int32", [None, None]),
            "back": ("int64", [None]),
            "shares": ("float", [None, None]),
        }
        self._session = Session(graph, inputs, output, [None, weights.width * len(depths)])

    def __call__(self, rows: Floats, lengths: NDArray[np.intp]) -> Floats:
        """rows: of all texts' tokens, one text after the other; lengths: tokens of each. The mean of each text's tokens."""
        ends = np.cumsum(lengths)
        at = np.arange(lengths.max())
        there = at < lengths[:, None]
        owner = np.repeat(np.arange(len(lengths)), lengths)
        return self._session(
            rows=rows,
            places=np.where(there, (ends - lengths)[:, None] + at, 0),
            there=there.astype(np.int32),
            back=np.flatnonzero(there),
            shares=((owner == np.arange(len(lengths))[:, None]) / lengths[:, None]).astype(np.float32),
        )


class _Layers(Graph):
    """Layers of the network, by the names of their weights. Tokens stand one below the other; only where those of a text look at
    each other do texts stand side by side, shorter ones filled up."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights

    def layer(self, n: int, rows: str) -> str:
        """What the tokens of a text say to each other, then what each makes of it."""
        wide, inner = self._weights.width, self._weights.inner
        asked = self.linear(rows, [f"l{n}.{one}" for one in "qkv"], wide, f"asked{n}")
        beside = self.add("Gather", [asked, "places"], f"beside{n}", axis=0)
        three = [f"query{n}", f"key{n}", f"value{n}"]
        self.add("Split", [beside], *three, axis=2, num_outputs=3)
        heads = {"num_heads": self._weights.heads, "domain": CONTRIBUTED}
        heard = self.add("MultiHeadAttention", [*three, "", "there"], f"heard{n}", **heads)
        below = self.add("Gather", [self.add("Flatten", [heard], f"flat{n}", axis=2), "back"], f"below{n}", axis=0)
        told = self.linear(below, [f"l{n}.ao"], wide, f"told{n}")
        rows = self.norm(self.add("Add", [rows, told], f"sum{n}"), f"l{n}.aln", f"attended{n}")

        largest = self.add("ReduceMax", [self.add("Abs", [rows], f"sizes{n}"), LAST], f"size{n}", keepdims=1)
        opened = self.linear_by_token(rows, largest, f"l{n}.fi", wide, f"opened{n}")
        bent = self.add("Gelu", [opened], f"bent{n}", domain=CONTRIBUTED)
        most = self.add("ReduceMax", [bent, LAST], f"most{n}", keepdims=1)  # its sizes below nothing are at most 0.17
        largest = self.add("Max", [most, self.hold("little", np.array([1e-3], np.float32))], f"largest{n}")
        closed = self.linear_by_token(bent, largest, f"l{n}.fo", inner, f"closed{n}")
        return self.norm(self.add("Add", [rows, closed], f"total{n}"), f"l{n}.oln", f"layer{n}")

    def norm(self, rows: str, name: str, output: str) -> str:
        held = [self.hold(f"{name}.{part}", self._weights.tensor(f"{name}.{part}")) for part in "wb"]
        return self.add("LayerNormalization", [rows, *held], output, axis=-1, epsilon=self._weights.epsilon)

    def linear(self, rows: str, names: Sequence[str], width: int, output: str) -> str:
        """width: of what comes in."""
        held = [*self._bytes(names, width), self._bias(names)]
        return self.add("DynamicQuantizeMatMul", [rows, *held], output, domain=CONTRIBUTED)

    def linear_by_token(self, rows: str, largest: str, name: str, width: int, output: str) -> str:
        """largest: of each token's numbers."""
        scaled = self.add("Div", [rows, largest], f"{output}.scaled")
        product = self.add("DynamicQuantizeMatMul", [scaled, *self._bytes([name], width)], f"{output}.part", domain=CONTRIBUTED)
        whole = self.add("Mul", [product, largest], f"{output}.whole")
        return self.add("Add", [whole, self._bias([name])], output)

    def _bias(self, names: Sequence[str]) -> str:
        return self.hold(f"{names[0]}.b", np.concatenate([self._weights.tensor(f"{name}.b") for name in names]))

    def _bytes(self, names: Sequence[str], width: int) -> list[str]:
        weight = np.concatenate([self._weights.tensor(f"{name}.w", -1, width) for name in names])
        scales = (np.abs(weight).max(1) / STEPS).astype(np.float32)
        numbers = np.rint(weight / scales[:, None]).astype(np.int8)
        held = {"numbers": numbers.T, "scales": scales, "zeros": np.zeros(len(scales), np.int8)}
        return [self.hold(f"{names[0]}.{part}", values) for part, values in held.items()]
