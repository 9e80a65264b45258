"""Arithmetic for ONNX Runtime: operators one after the other, what they hold, and a session that runs them on one core.

ONNX Runtime multiplies bytes by the processor's own instructions for that (VNNI, AMX), several times as fast as NumPy multiplies
floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

OPSET, IR = 18, 10
CONTRIBUTED = "com.microsoft"  # operators that ONNX Runtime has beyond the standard
KINDS = {"float": TensorProto.FLOAT, "int32": TensorProto.INT32, "int64": TensorProto.INT64}

Shape = Sequence[int | None]  # None: as many as come


class Graph:
    """Operators in the order in which they work."""

    def __init__(self) -> None:
        self.nodes, self.held = list[Any](), dict[str, NDArray[Any]]()

    def add(self, operator: str, inputs: Sequence[str], *outputs: str, **how: Any) -> str:
        """The first output's name."""
        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), **how))
        return outputs[0]

    def hold(self, name: str, values: NDArray[Any]) -> str:
        self.held[name] = np.ascontiguousarray(values)
        return name

    def model(self, inputs: Mapping[str, tuple[str, Shape]], output: str, shape: Shape) -> bytes:
        """What it holds is given to the session beside it: written into the model it would be in memory three times."""
        given = [helper.make_tensor_value_info(name, KINDS[kind], form) for name, (kind, form) in inputs.items()]
        found = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
        held = [_beside(*one) for one in self.held.items()]
        graph = helper.make_graph(self.nodes, "accueil", given, found, held)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIBUTED, 1)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=IR).SerializeToString())


def _beside(name: str, values: NDArray[Any]) -> onnx.TensorProto:
    found = onnx.TensorProto(name=name, dims=values.shape, data_type=helper.np_dtype_to_tensor_dtype(values.dtype))
    found.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "beside"), ("offset", "0"), ("length", str(values.nbytes))):
        found.external_data.add(key=key, value=value)
    return found


class Session:
    """A graph that is ready to run. Safe to share between threads."""

    def __init__(self, graph: Graph, inputs: Mapping[str, tuple[str, Shape]], output: str, shape: Shape) -> None:
        """inputs: one of KINDS, and the shape, by their names. Raises onnxruntime's errors for a graph that is none."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors; what it warns of is its own affair
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # more threads wait for each other longer than they save
        # what it would do beyond that joins a sum and a norm to an operator that takes eight times as long
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(one) for one in graph.held.values()]
        options.add_external_initializers(list(graph.held), values)
        model = graph.model(inputs, output, shape)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._output = [output]

    def __call__(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._session.run(self._output, inputs)[0]
        return found
