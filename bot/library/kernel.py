"""A kernel ridge's scores by ONNX Runtime: what ``core/ridge.py`` says in NumPy, in a fraction of the time.

The centres are bytes already; the rows that are scored are brought to bytes as they come. Processors without instructions for
that (VNNI) add pairs of products in 16 bits, which overflow where two large numbers stand side by side: what this one makes of
such rows is compared with what NumPy does before it is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.ridge import SHARES, STEPS, WIDTHS, Floats, Ridge, restored
from bot.library.graph import CONTRIBUTED, Graph, Session

ROWS = 32  # that are scored in one go: bounds the memory
SAMPLE = 2000  # centres among which rows are chosen on which the two are compared
TRIED, APART = 32, 1.0  # such rows, and how far a score may differ: overflows make it 4, rounding 0.2


def scorer(model: Ridge) -> Callable[[Floats], Floats]:
    """Rows of features to unnormalised logarithms of each class's probability.

    Raises onnxruntime's errors, and ArithmeticError where this processor reckons otherwise than NumPy.
    """
    scored = _scorer(model)
    tried = _hardest(model)
    apart = float(np.abs(scored(tried) - model.scores(tried)).max())
    if not apart <= APART:
        raise ArithmeticError(f"scores differ by {apart:.2f} from what they are")
    return scored


def _hardest(model: Ridge) -> Floats:
    """Of a sample of the centres those with the largest numbers side by side."""
    some = model.centres[:: 1 + len(model.centres) // SAMPLE]
    sizes = np.abs(some[:, : some.shape[1] // 2 * 2].astype(np.int16))
    pairs = (sizes[:, ::2] + sizes[:, 1::2]).max(1)
    return restored(some[np.argsort(-pairs)[:TRIED]])


def _scorer(model: Ridge) -> Callable[[Floats], Floats]:
    graph = Graph()
    classes = model.weights.shape[1]
    kernels = [_kernel(graph, model, n) for n in range(len(model.edges))]
    total = kernels[0]
    for n, kernel in enumerate(kernels[1:]):
        total = graph.add("Add", [total, kernel], f"total{n}")
    weights = graph.hold("weights", model.weights * np.float32(model.sharpness))
    bias = graph.hold("bias", model.bias * np.float32(model.sharpness))
    scores = graph.add("Add", [graph.add("MatMul", [total, weights], "summed"), bias], "scores")
    inputs = {f"view{n}": ("float", [None, edge.stop - edge.start]) for n, edge in enumerate(model.edges)}
    session, edges = Session(graph, inputs, scores, [None, classes]), model.edges

    def scored(features: Floats) -> Floats:
        blocks = [features[n : n + ROWS] for n in range(0, len(features), ROWS)]
        found = [session(**{f"view{n}": np.ascontiguousarray(b[:, edge]) for n, edge in enumerate(edges)}) for b in blocks]
        return np.vstack(found) if found else np.zeros((0, classes), np.float32)

    return scored


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
    bounded = graph.add("Min", [exponent, graph.hold(f"most{n}", np.array(most))], f"bounded{n}")
    return graph.add("Exp", [bounded], f"kernel{n}")
