"""Reads a collection of real mails and prints how many were read as its authors say.

Usage: python benchmarks/mail.py FOLDER, where FOLDER/index.jsonl names each file with ``may_answer`` and, where there is
one, ``expected_reply_path``. Exit 1 on an exception or an answer to a mail that must not get one.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailparser_reply import EmailReplyParser

from bot.channels.mail.sniff import read_any


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "")
    if not (folder / "index.jsonl").is_file():
        sys.exit(f"{folder}/index.jsonl is not there: name the folder of the collection")
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    faults, held_back, seconds = [], 0, []
    right: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    total: Counter[str] = Counter()
    library = EmailReplyParser(languages=["fr", "en", "de", "it", "es", "nl", "pl", "sv", "da"])
    for row in rows:
        raw = (folder / row["input_path"]).read_bytes()
        started = time.perf_counter()
        mail = read_any(raw, row["input_path"])
        seconds.append(time.perf_counter() - started)
        if mail.may_answer and not row["may_answer"]:
            faults.append(f"would be answered: {row['input_path']} ({row['kind']})")
        held_back += row["may_answer"] and not mail.may_answer
        if row.get("expected_reply_path"):
            wanted = (folder / row["expected_reply_path"]).read_text("utf-8", "replace")
            same = _same(row)
            for group in ("all", f"language {row['lang']}", f"source {row['source']}", f"form {row['format']}"):
                total[group] += 1
                right[group] += same(mail.text) == same(wanted)
                if row["format"] == "text":
                    found = library.read(text=raw.decode("utf-8", "replace")).latest_reply or ""
                    alone[group] += same(found) == same(wanted)
    print(*faults, sep="\n")
    print(f"{len(rows)} mails, {len(faults)} that must not be answered would be; {held_back} that might be are left to a person")
    for group in sorted(total):
        beside = f"   (the library alone, bodies only: {alone[group]})" if alone[group] else ""
        print(f"own words exact, {group}: {right[group]}/{total[group]} = {right[group] / total[group]:.3f}{beside}")
    seconds.sort()
    print(f"one mail: p50 {1000 * seconds[len(seconds) // 2]:.1f} ms, p99 {1000 * seconds[len(seconds) * 99 // 100]:.1f} ms")
    sys.exit(bool(faults))


def _same(row: dict[str, Any]) -> Callable[[str], str]:
    """How two texts are compared: without trailing blanks; where the authors say so, without regard to white space."""
    if "ignoring white space" in row["expect"]:
        return lambda text: " ".join(text.split())
    return lambda text: "\n".join(line.rstrip() for line in text.replace("\r", "").strip().split("\n"))


main()
