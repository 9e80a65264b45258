"""The encoder's network in floating-point numbers, exact and with gradients: what prunes and teaches works on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bot.library.encoder.tokens import Tokenizer
from bot.library.encoder.weights import Weights, shipped

Pair = tuple[Tensor, Tensor]  # a matrix or the factors of a norm, and what is added
Layer = Mapping[str, Pair]  # qkv, ao, aln (attention and its norm), fi, fo, oln (inner units and their norm)

WEIGHTS = Weights(shipped())
TOKENIZER = Tokenizer(WEIGHTS.vocabulary())
WIDTH, HEADS = WEIGHTS.width, WEIGHTS.heads
PLACES = WEIGHTS.tensor("emb.pos", -1, WIDTH) + WEIGHTS.tensor("emb.type", -1, WIDTH)[0]


def original() -> list[Layer]:
    """All layers as the package ships them."""
    return [_layer(n) for n in range(WEIGHTS.layers)]


def _layer(n: int) -> Layer:
    three = [_pair(f"l{n}.{one}", WIDTH) for one in "qkv"]
    return {
        "qkv": (torch.cat([weight for weight, _ in three]), torch.cat([bias for _, bias in three])),
        "ao": _pair(f"l{n}.ao", WIDTH),
        "aln": _pair(f"l{n}.aln"),
        "fi": _pair(f"l{n}.fi", WIDTH),
        "fo": _pair(f"l{n}.fo", WEIGHTS.inner),
        "oln": _pair(f"l{n}.oln"),
    }


def _pair(name: str, width: int | None = None) -> Pair:
    weight = WEIGHTS.tensor(f"{name}.w", -1, width) if width else WEIGHTS.tensor(f"{name}.w")
    return torch.from_numpy(weight.copy()), torch.from_numpy(WEIGHTS.tensor(f"{name}.b").copy())


def embedded(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """What enters the first layer: a row for each token of each text, shorter ones filled up; and which of them are there."""
    ids = [TOKENIZER.ids(text) for text in texts]
    lengths = [len(one) for one in ids]
    rows = np.zeros((len(ids), max(lengths), WIDTH), np.float32)
    there = np.arange(max(lengths)) < np.array(lengths)[:, None]
    rows[there] = WEIGHTS.rows("emb.word", [id for one in ids for id in one])
    rows[there] += np.concatenate([PLACES[:length] for length in lengths])
    return norm(torch.from_numpy(rows), _pair("emb.ln")), torch.from_numpy(there)


def norm(rows: Tensor, pair: Pair) -> Tensor:
    return functional.layer_norm(rows, (WIDTH,), *pair, WEIGHTS.epsilon)


def attended(layer: Layer, rows: Tensor, there: Tensor) -> Tensor:
    """What the tokens of a text say to each other, added to what they are."""
    count, length, _ = rows.shape
    asked = functional.linear(rows, *layer["qkv"]).view(count, length, 3, HEADS, WIDTH // HEADS)
    query, key, value = asked.permute(2, 0, 3, 1, 4)
    heard = functional.scaled_dot_product_attention(query, key, value, there[:, None, None, :])
    told = functional.linear(heard.transpose(1, 2).reshape(rows.shape), *layer["ao"])
    return norm(rows + told, layer["aln"])


def opened(layer: Layer, rows: Tensor) -> Tensor:
    """What the inner units make of each token."""
    return functional.gelu(functional.linear(rows, *layer["fi"]))


def closed(layer: Layer, rows: Tensor, units: Tensor) -> Tensor:
    return norm(rows + functional.linear(units, *layer["fo"]), layer["oln"])


def states(layers: Sequence[Layer], rows: Tensor, there: Tensor) -> Iterator[Tensor]:
    """All tokens after each layer."""
    for layer in layers:
        rows = attended(layer, rows, there)
        rows = closed(layer, rows, opened(layer, rows))
        yield rows


def pooled(rows: Tensor, there: Tensor) -> Tensor:
    """A text's vector: the mean of its tokens, of length 1."""
    return functional.normalize((rows * there[..., None]).sum(1), dim=1)
