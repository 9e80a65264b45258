"""What a kernel ridge tells, by ONNX Runtime: what ``core/ridge.py`` says in NumPy but for rounding, in a fraction of the
time.

The centres are bytes already; the rows that are asked about are brought to bytes as they come. Processors without instructions
for that (VNNI) add pairs of products in 16 bits; the centres are small enough for that (``ridge.MOST``). What this processor
makes of those that come nearest to the limit is compared with what NumPy does before it is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.ridge import SHARES, STEPS, WIDTHS, Floats, Ridge, restored
from bot.library.graph import CONTRIBUTED, Graph, Session

ROWS = 32  # that are asked about in one go: bounds the memory
SAMPLE = 2000  # centres among which rows are chosen on which the two are compared
TRIED, APART = 32, 0.14  # such rows, and how far a score may differ: overflows would make it 0.5, rounding 0.03


def teller(model: Ridge) -> Callable[[Floats], Floats]:
    """Rows of features to what each view tells of each class, as ``Ridge.told``.

    Raises onnxruntime's errors, and ArithmeticError where this processor reckons otherwise than NumPy.
    """
    told = _teller(model)
    tried = _hardest(model)
    apart = float(np.abs((told(tried) - model.told(tried)).sum(1)).max())
    if not apart <= APART:
        raise ArithmeticError(f"scores differ by {apart:.2f} from what they are")
    return told


def _hardest(model: Ridge) -> Floats:
    """Of a sample of the centres those with the largest numbers side by side."""
    some = model.centres[:: 1 + len(model.centres) // SAMPLE]
    sizes = np.abs(some[:, : some.shape[1] // 2 * 2].astype(np.int16))
    pairs = (sizes[:, ::2] + sizes[:, 1::2]).max(1)
    return restored(some[np.argsort(-pairs)[:TRIED]])


def _teller(model: Ridge) -> Callable[[Floats], Floats]:
    graph = Graph()
    views, classes = len(model.edges), model.weights.shape[1]
    kernels = [_kernel(graph, model, n) for n in range(views)]
    below = graph.add("Concat", kernels, "kernels", axis=0)  # one below the other: their weights are held once
    output = graph.add("MatMul", [below, graph.hold("weights", model.weights)], "told")
    inputs = {f"view{n}": ("float", [None, edge.stop - edge.start]) for n, edge in enumerate(model.edges)}
    session, edges = Session(graph, inputs, output, [None, classes]), model.edges

    def told(features: Floats) -> Floats:
        blocks = [features[n : n + ROWS] for n in range(0, len(features), ROWS)]
        found = [session(**{f"view{n}": np.ascontiguousarray(b[:, edge]) for n, edge in enumerate(edges)}) for b in blocks]
        return np.concatenate([np.zeros((0, views, classes), np.float32), *(_by_row(one, views) for one in found)])

    return told


def _by_row(told: Floats, views: int) -> Floats:
    return told.reshape(views, -1, told.shape[1]).swapaxes(0, 1)


def _kernel(graph: Graph, model: Ridge, n: int) -> str:
    """The Gaussian kernel of a view's rows with all centres."""
    centres = model.centres[:, model.edges[n]]
    most = np.float32(np.log(SHARES[n]))
    held: dict[str, NDArray[Any]] = {
        "centres": centres.T,
        "scale": np.array([2 * WIDTHS[n] / STEPS], np.float32),
        "zero": np.zeros(1, np.int8),
        "least": np.full(len(centres), most - 2 * WIDTHS[n], np.float32),
    }
    names = [graph.hold(f"{name}{n}", values) for name, values in held.items()]
    exponent = graph.add("DynamicQuantizeMatMul", [f"view{n}", *names], f"exponent{n}", domain=CONTRIBUTED)
    return graph.add("Exp", [exponent], f"kernel{n}")
