"""One measurement of the benchmark in a process of its own: a job on the standard input, findings as lines of JSON.

Each job is a dictionary whose ``kind`` names one of the functions below. What was found before a job runs out of memory or
time has already been printed.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from understanding_rows import OURS, STRENGTHS, Calibration, calibrated, made, phrases_of, probabilities

from bot.channels.mail.words import question_text
from bot.core.decide import Reader
from bot.core.match import Matcher
from bot.core.model import Answer, Dialogue, Format, Knowledge, Reading, Sheet, Topic, Words
from bot.core.rehearse import cleaned, judged
from bot.core.score import figures
from bot.core.text import parts
from bot.library.load import load

Spent = list[NDArray[np.float64]]  # of each message: seconds of work, seconds on the wall
WARM_UP = 40  # phrases read before the clock runs
HELD_BACK = 2  # phrases of a synthetic topic that are not learnt, and asked
LONGEST_TYPOS = 400  # seconds for the messages under typos: a row that is slower gets fewer seeds, and says so


def tell(**found: Any) -> None:
    print(json.dumps(found), flush=True)


def megabytes(name: str) -> float:
    """VmRSS or VmHWM of this process; where there is no /proc, the peak that the system counted."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def corrupter(path: str) -> Callable[[str, int], str]:
    """``corrupt`` of the noise script, at its usual rate of one letter in ten."""
    spec = importlib.util.spec_from_file_location("noise", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text, seed: module.corrupt(text, 0.10, seed)


def items_of(files: Sequence[str], spoilt: Callable[[str], str] = str) -> Iterator[dict[str, Any]]:
    """Labelled messages and dialogues, each text and subject spoilt as asked, then read as a channel reads it."""
    for file in files:
        for line in Path(file).read_text("utf-8").splitlines():
            if not line.strip():
                continue
            item = json.loads(line)
            for part in item.get("turns", [item]):
                part["text"] = spoilt(part["text"])
                if part.get("subject"):
                    part["subject"] = spoilt(part["subject"])
            yield cleaned(item, question_text)


def clocks() -> NDArray[np.float64]:
    """Seconds that this process has worked, and seconds on the wall: the two part where others use the core as well."""
    return np.array([time.process_time(), time.perf_counter()])


class Timed:
    """A reader, and how long each message took it, with the look for words of health around it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.spent: Spent = []

    def read(self, text: str, subject: str | None, dialogue: Dialogue) -> Reading:
        started = clocks()
        reading = self._reader.read(text, subject, dialogue)
        self.spent.append(clocks() - started)
        return reading

    def tells_of_health(self, text: str) -> bool:
        started = clocks()
        found = self._reader.tells_of_health(text)
        self.spent[-1] += clocks() - started  # of the message just read
        return found


def decided(items: Sequence[Mapping[str, Any]], knowledge: Knowledge, reader: Reader) -> tuple[dict[str, Any], Spent]:
    """Figures over all messages, and how long each took to be understood."""
    timed = Timed(reader)
    pairs = []
    for item in items:
        turns = item.get("turns") or [item]
        pairs += [(t, got, "turns" in item) for t, got in zip(turns, judged(dict(item), knowledge, timed), strict=True)]
    return figures(pairs, knowledge.policy.costs), timed.spent


def quantiles(spent: Spent) -> dict[str, Any]:
    """Milliseconds: of work, and on the wall; ``free`` is the share of the time in which the core was this process's own."""
    worked, wall = 1000 * np.array(spent).T
    found: dict[str, Any] = {f"p{q}": round(float(np.percentile(worked, q)), 3) for q in (25, 50, 75, 99)}
    found["wall"] = {f"p{q}": round(float(np.percentile(wall, q)), 3) for q in (25, 50, 75, 99)}
    return {**found, "free": round(float(worked.sum() / wall.sum()), 3)}


def warmed(knowledge: Knowledge, reader: Reader) -> None:
    """Phrases and not messages: what is remembered of a word must not make the measured messages cheap."""
    phrases, _, _ = phrases_of(knowledge)
    for phrase in phrases[:: max(1, len(phrases) // WARM_UP)]:
        reader.read(phrase, None, Dialogue("warm-up"))


def loaded(row: str, knowledge: Knowledge, job: Mapping[str, Any], key: str) -> Matcher:
    """The row's matcher; how long its imports and its training took, and what they left and needed at most."""
    started = clocks()
    cache = Path(job["cache"]) if job.get("cache") else None
    matcher = made(row, knowledge, Calibration(**job.get("calibration") or {}), cache)
    worked, wall = clocks() - started
    tell(**{key: round(float(worked), 3), f"{key}_wall": round(float(wall), 3)})
    gc.collect()
    tell(mb=round(megabytes("VmRSS"), 1), mb_peak=round(megabytes("VmHWM"), 1))
    return matcher


# ---------------------------------------------------------------- the jobs


def calibrate(job: Mapping[str, Any]) -> None:
    strengths = (10.0,) if job["quick"] else STRENGTHS
    found, share = calibrated(job["row"], load(Path(job["knowledge"])), strengths)
    tell(calibration=asdict(found), held_out=round(share, 4))


def reload(job: Mapping[str, Any]) -> None:
    """A second start, with the cache that the first one left."""
    loaded(job["row"], load(Path(job["knowledge"])), job, "warm")


def messages(job: Mapping[str, Any]) -> None:
    """Whole messages, clean and under typos; what is off the topic; time and memory."""
    knowledge = load(Path(job["knowledge"]))
    matcher = loaded(job["row"], knowledge, job, "cold")
    reader = Reader(knowledge, matcher)
    warmed(knowledge, reader)
    clean = list(items_of(job["messages"]))
    found, spent = decided(clean, knowledge, reader)
    tell(clean=found, ms=quantiles(spent), mb_after=round(megabytes("VmHWM"), 1))
    tell(offtopic=rejection(clean, job.get("massive"), knowledge, matcher))
    if not job.get("noise"):
        return
    corrupt = corrupter(job["noise"])
    noisy: list[dict[str, Any]] = []
    slow: Spent = []
    for seed in job["seeds"]:
        if sum(wall for _, wall in slow) > LONGEST_TYPOS:
            break
        spoilt = list(items_of(job["messages"], lambda text, seed=seed: corrupt(text, seed)))  # type: ignore[misc]
        figures_, spent = decided(spoilt, knowledge, reader)
        noisy.append(figures_)
        slow += spent
        tell(typos=noisy, ms_typos=quantiles(slow))


def rejection(items: Sequence[Mapping[str, Any]], massive: str | None, knowledge: Knowledge, matcher: Matcher) -> dict[str, Any]:
    """How often a message about one topic scores higher than one about something else (the area under the ROC curve)."""
    alone = [i for i in items if "turns" not in i and len(i["topics"]) == 1]
    near = _topic_scores([i["text"] for i in alone if i["topics"][0] in knowledge.topics], knowledge, matcher)
    far = _topic_scores([i["text"] for i in alone if i["topics"] == ["offtopic"]], knowledge, matcher)
    found = {"topic": len(near), "offtopic": len(far), "auroc": _auroc(near, far)}
    if massive:
        others = [r["text"] for r in map(json.loads, Path(massive).read_text("utf-8").splitlines()) if r["split"] == "test"]
        found |= {"massive": len(others), "auroc_massive": _auroc(near, _topic_scores(others, knowledge, matcher))}
    return found


def _topic_scores(texts: Sequence[str], knowledge: Knowledge, matcher: Matcher) -> list[float]:
    """The probability of the likeliest topic in any part of each text."""
    topics = [n for n, id in enumerate(matcher.ids) if id in knowledge.topics]
    return [float(probabilities(matcher, parts(text) or [text])[:, topics].max()) for text in texts]


def _auroc(higher: Sequence[float], lower: Sequence[float]) -> float | None:
    if not higher or not lower:
        return None
    apart = np.asarray(higher)[:, None] - np.asarray(lower)[None, :]
    return round(float((apart > 0).mean() + (apart == 0).mean() / 2), 4)


def massive(job: Mapping[str, Any]) -> None:
    """Few-shot accuracy on public utterances: a knowledge made of some training examples an intent, several draws."""
    rows = [json.loads(line) for line in Path(job["massive"]).read_text("utf-8").splitlines()]
    learnt: dict[str, list[str]] = {}
    for row in rows:
        if row["split"] == "train":
            learnt.setdefault(row["label"], []).append(row["text"])
    asked = [(r["text"], r["label"]) for r in rows if r["split"] == "test"]
    corrupt = corrupter(job["noise"]) if job.get("noise") else None
    clean, noisy = [], []
    for draw in range(job["draws"]):
        dice = random.Random(draw)  # noqa: S311 - the same phrases at every run
        chosen = {label: dice.sample(texts, min(job["phrases"], len(texts))) for label, texts in learnt.items()}
        topics = {label: _topic(label, phrases, ()) for label, phrases in chosen.items()}
        knowledge = Knowledge(topics=topics, classes={}, formats={}, facts={}, voice={}, words=Words(), digest="")
        matcher = made(job["row"], knowledge, Calibration(**job.get("calibration") or {}), None)
        clean.append(_share(matcher, asked))
        if corrupt:
            noisy.append(_share(matcher, [(corrupt(text, draw), label) for text, label in asked]))
        tell(phrases=job["phrases"], intents=len(learnt), tests=len(asked), clean=clean, noisy=noisy)


def _share(matcher: Matcher, asked: Sequence[tuple[str, str]]) -> float:
    """Of texts one by one, as they come in a service; a text that scores nothing anywhere is not recognised."""
    right = 0
    for text, label in asked:
        row = probabilities(matcher, [text])[0]
        right += row.max() > row.min() and matcher.ids[int(row.argmax())] == label
    return round(right / len(asked), 4)


def growth(job: Mapping[str, Any]) -> None:
    """What the matcher costs with many topics, under a limit of memory."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (job["bytes"], job["bytes"]))
    except (ImportError, ValueError, OSError) as error:
        tell(unlimited=str(error))
    knowledge, asked = synthetic(load(Path(job["knowledge"])), job["topics"], job["phrases"])
    tell(topics=job["topics"], phrases=len(phrases_of(knowledge)[0]))
    matcher = loaded(OURS, knowledge, job, "cold")
    reader = Reader(knowledge, matcher)
    warmed(knowledge, reader)
    _, spent = decided(list(items_of(job["messages"])), knowledge, reader)
    tell(ms=quantiles(spent), mb_after=round(megabytes("VmHWM"), 1))
    tell(recognised=_share(matcher, asked[:: max(1, len(asked) // 600)]))


def synthetic(knowledge: Knowledge, count: int, each: int) -> tuple[Knowledge, list[tuple[str, str]]]:
    """As many topics in place of the real ones, and phrases held back of each.

    A topic is four words; its phrases are real ones in which two or three of the longest words make way for some of them. The
    classes that are no topics stay, as any knowledge needs them.
    """
    dice = random.Random(0)  # noqa: S311 - the same topics at every run
    frames = [p.split() for t in knowledge.topics.values() for p in t.phrases if 4 <= len(p.split()) <= 14]
    vocabulary = sorted({w.strip("?!.,").lower() for f in frames for w in f if len(w) > 5 and w.strip("?!.,").isalpha()})
    answer = (Answer("…", Sheet("synthetic", "Synthétique", "2026-01-01")),)
    topics, asked = {}, []
    for n in range(count):
        own = dice.sample(vocabulary, 4)
        phrases: dict[str, None] = {}
        while len(phrases) < each + HELD_BACK:
            frame = list(dice.choice(frames))
            places = sorted(range(len(frame)), key=lambda i: -len(frame[i]))[: dice.choice((2, 3))]
            for place, word in zip(places, dice.sample(own, len(places)), strict=True):
                frame[place] = word
            phrases[" ".join(frame)] = None
        id = f"synthetic-{n}"
        topics[id] = _topic(id, list(phrases)[:each], answer)
        asked += [(phrase, id) for phrase in list(phrases)[each:]]
    classes = {id: replace(group, tells=None) for id, group in knowledge.classes.items()}
    return replace(knowledge, topics=topics, classes=classes, translations={}, digest=f"synthetic {count}"), asked


def _topic(id: str, phrases: Sequence[str], answer: tuple[Answer, ...]) -> Topic:
    return Topic(id, id, id[:20], {f: answer for f in Format}, frozenset(), tuple(phrases))


JOBS = {job.__name__: job for job in (calibrate, reload, messages, massive, growth)}


def main() -> None:
    job = json.load(sys.stdin)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        JOBS[job["kind"]](job)
    except ImportError as error:
        tell(absent=error.name or str(error))
    except MemoryError as error:
        tell(failed=f"out of memory: {error}" if str(error) else "out of memory", mb_after=round(megabytes("VmHWM"), 1))


if __name__ == "__main__":
    main()
