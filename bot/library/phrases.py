"""``phrases/<topic or class>.txt``: more phrases, one a line, so that the sheets stay short enough to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rapidfuzz.process import extractOne

from bot.errors import Fault

FOLDER = "phrases"


def is_phrases(name: str) -> bool:
    return name.startswith(FOLDER + "/")


def lines_of(raw: bytes) -> list[tuple[int, str]]:
    """The phrases of a file with their line numbers. Raises UnicodeDecodeError for what is not UTF-8."""
    rows = enumerate(raw.decode("utf-8").splitlines(), 1)
    return [(n, row.strip()) for n, row in rows if row.strip() and not row.startswith("#")]


def read_phrases(folder: Path, contents: Mapping[str, bytes], known: list[str]) -> tuple[dict[str, tuple[str, ...]], list[Fault]]:
    """The phrases of each topic or class, and what is wrong with the files. known: the ids that exist."""
    found: dict[str, tuple[str, ...]] = {}
    faults = []
    for name, raw in contents.items():
        if not is_phrases(name):
            continue
        id = name.removeprefix(FOLDER + "/").removesuffix(".txt")
        if id not in known:
            near = extractOne(id, known, score_cutoff=60)
            hint = f"did you mean {near[0]}.txt?" if near else "remove it, or name it after a topic or a class"
            faults.append(Fault(folder / name, 1, f"{id!r} is neither a topic nor a class", hint))
            continue
        try:
            found[id] = tuple(phrase for _, phrase in lines_of(raw))
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            faults.append(Fault(folder / name, line, "not UTF-8 text", "save the file as UTF-8"))
    return found, faults
