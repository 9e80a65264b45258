"""How surely whole messages are understood: a finer figure than the share of exact ones, to compare matchers by.

Usage: python benchmarks/whole.py [FILE ...]. Two minutes on one core.

The log-loss of what the weights of a message make of its parts (``core/chance.py``): whether it asks about each topic, and
whether it needs a person; of each message as it was written and as a thumb in a hurry would have typed it. The weights are
found on other messages: for the files named and tests/data/held_out*.jsonl on the sets of knowledge/examples/, for one half of
those on the other half and the held-out ones. A topic that no part was thought to be about at all counts as 1 %.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.channels.mail.words import question_text
from bot.commands.evaluation import labelled
from bot.commands.tuning import fitted
from bot.core import chance
from bot.core.chance import Weights
from bot.core.decide import Reader
from bot.core.haste import hasty
from bot.core.rehearse import cleaned
from bot.core.score import PASSED_ON
from bot.errors import AccueilError
from bot.library.load import load
from bot.library.shelf import understanding

ROOT = Path(__file__).parent.parent
LEAST, OVERLOOKED = 1e-4, 0.01  # chances: what is surely wrong counts as, and a topic that was not thought of
NAMES = ("topics", "topics, hasty", "need", "need, hasty")

Item = dict[str, Any]


def losses(items: Iterable[Item], reader: Reader, weights: Weights) -> list[float]:
    """Summed over messages, by NAMES."""
    found = [0.0] * len(NAMES)
    for item in items:
        text = cleaned(item, question_text)["text"]
        for n, typed in enumerate((text, hasty(text))):
            seen = reader.evidence_of(typed)
            if seen is not None:
                found[n] += _topics(item, seen, reader, weights)
                found[2 + n] += _need(item, seen, reader, weights)
    return found


def _topics(item: Item, seen: chance.Evidence, reader: Reader, weights: Weights) -> float:
    ids, kinds, wanted = reader.matcher.ids, reader.kinds, set(item["topics"])
    excused = {ids[n] for n in kinds.told.nonzero()[0]} if wanted & PASSED_ON else set()  # a policy may be told or left out
    likely = {ids[n]: share for n, share in chance.topics(seen, kinds, weights).items()}
    thought_of = sum(_loss(share if id in wanted else 1 - share) for id, share in likely.items() if id not in excused)
    topics = {ids[n] for n in kinds.topics.nonzero()[0]}
    return thought_of + len((wanted & topics) - likely.keys() - excused) * _loss(OVERLOOKED)


def _need(item: Item, seen: chance.Evidence, reader: Reader, weights: Weights) -> float:
    if item["escalate"] == "either":
        return 0.0
    share = chance.need(seen, reader.kinds, weights)
    return _loss(share if item["escalate"] == "yes" else 1 - share)


def _loss(share: float) -> float:
    return -math.log(max(LEAST, share))


def single(files: Iterable[Path]) -> list[Item]:
    """The messages that are no dialogue."""
    return [item for file in files for item in labelled(file) if "turns" not in item]


def main(argv: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("files", nargs="*", type=Path, help="more labelled messages, as knowledge/examples/ holds them")
    named = asked.parse_args(argv).files
    folder = ROOT / "knowledge"
    try:
        more, knowledge = single(named), load(folder)
    except AccueilError as fault:
        sys.exit(str(fault))
    reader = understanding(knowledge, beside=folder)
    apart = single(sorted(ROOT.glob("tests/data/held_out*.jsonl")))
    files = sorted(folder.glob("examples/messages-*.jsonl"))
    first, second = single(files[: len(files) // 2]), single(files[len(files) // 2 :])
    folds = {
        "held out" + " and the files" * bool(named): (more + apart, first + second),
        "first half of the examples": (first, second + apart),
        "second half": (second, first + apart),
    }
    total = 0.0
    print(f"{'':28} {'messages':>8} " + " ".join(f"{name:>14}" for name in NAMES))
    for name, (tested, learnt) in folds.items():
        found = losses(tested, reader, fitted(learnt, reader))
        total += sum(found)
        print(f"{name:28} {len(tested):>8} " + " ".join(f"{value:>14.1f}" for value in found), flush=True)
    print(f"sum {total:.1f}")


if __name__ == "__main__":
    main()
