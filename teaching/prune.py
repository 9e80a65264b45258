"""Which inner units of a layer are left out, and how the others make up for them.

A unit after the other goes, always the one without which the layer's output, as the others can make it up, changes least; the
others' weights are adjusted by least squares at once (Hassibi and Stork 1993, structured: Kurtic, Frantar and Alistarh 2023). One
layer after the other, each on what those before it now say.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from teaching.network import Layer, attended, closed, embedded, opened

# How many stay of 1,536. Found by what the vectors after the sixth and the last layer lose when one layer alone is cut to 768,
# 512, 256 and 64 units, so that the next 64 cost alike in each: the last layer hardly uses its own.
KEPT = (512, 576, 640, 576, 576, 640, 256, 256, 320, 576, 384, 64)
ROWS = 30_000  # tokens that a layer is cut by
TOGETHER = 96  # texts
DAMPING = 1e-3  # of the units' mean square, added to each


@torch.no_grad()
def pruned(layers: Sequence[Layer], texts: Sequence[str]) -> list[Layer]:
    """The layers with KEPT units each, by what the texts make of them."""
    order = sorted(texts, key=len)
    batches = [embedded(order[n : n + TOGETHER]) for n in range(0, len(order), TOGETHER)]
    found: list[Layer] = []
    for layer, kept in zip(layers, KEPT, strict=True):
        batches = [(attended(layer, rows, there), there) for rows, there in batches]
        units = [opened(layer, rows) for rows, _ in batches]
        said = torch.cat([closed(layer, rows, one)[_words(there)] for (rows, there), one in zip(batches, units, strict=True)])
        seen = torch.cat([one[there] for (_, there), one in zip(batches, units, strict=True)])
        some = torch.randperm(len(seen), generator=torch.Generator().manual_seed(0))[:ROWS]
        # an error counts by what the norm makes of it, and by how much a dimension tells two texts apart
        found.append(_cut(layer, seen[some], kept, layer["oln"][0] / said.std(0)))
        batches = [(closed(found[-1], rows, opened(found[-1], rows)), there) for rows, there in batches]
    return found


def _words(there: Tensor) -> Tensor:
    """Without each text's first token, a mark of the model's own, in which one dimension outweighs all others."""
    return there & (torch.arange(there.shape[1]) > 0)


def _cut(layer: Layer, seen: Tensor, kept: int, importance: Tensor) -> Layer:
    """seen: units by tokens. importance: of each dimension of the output."""
    mean, before = seen.mean(0), layer["fo"][0].T.double()
    square = ((seen - mean).T @ (seen - mean) / len(seen)).double()
    inverse = torch.linalg.inv(square + torch.eye(len(square)) * DAMPING * square.diagonal().mean())
    weight, alive = before.clone(), torch.ones(len(before), dtype=torch.bool)
    for _ in range(len(before) - kept):
        cost = ((weight * importance) ** 2).sum(1) / inverse.diagonal()
        cost[~alive] = torch.inf
        gone = int(cost.argmin())
        share = inverse[:, gone] / inverse[gone, gone]
        weight -= share[:, None] * weight[gone].clone()
        inverse -= torch.outer(share, inverse[gone].clone())
        inverse[gone], inverse[:, gone], inverse[gone, gone] = 0, 0, 1
        weight[gone], alive[gone] = 0, False
    opening, closing = layer["fi"], layer["fo"]
    stays = closing[1] + (mean.double() @ (before - weight)).float()  # what the units that are gone said of every token
    return {**layer, "fi": (opening[0][alive], opening[1][alive]), "fo": (weight.float()[alive].T.contiguous(), stays)}
