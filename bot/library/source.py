"""A YAML file with the line of every entry, so that a fault can be named where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.errors import Fault

Path_ = tuple[str | int, ...]


@dataclass(slots=True)
class Source:
    """One file as read: its data, the line of each path, and the faults found on the way."""

    file: Path
    data: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, path: Sequence[str | int]) -> int:
        """The line of a path, or of its nearest parent that stands in the file."""
        at = tuple(path)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def fault(self, path: Sequence[str | int], what: str, instead: str = "") -> Fault:
        return Fault(self.file, self.line(path), what, instead)


def read(file: Path, raw: bytes) -> Source:
    """Parse one file; faults of form (encoding, YAML, a key that stands twice) are kept in the source."""
    source = Source(file)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        source.faults.append(Fault(file, line, "not UTF-8 text", "save the file as UTF-8"))
        return source
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is not None:
            source.data = _value(node, (), source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        source.faults.append(Fault(file, mark.line + 1 if mark else 1, f"broken YAML: {error.problem}", _hint(error)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        source.faults.append(Fault(file, 1, f"broken YAML: {error}"))
    return source


def _hint(error: yaml.MarkedYAMLError) -> str:
    if "mapping values" in str(error.problem):
        return "quote a text that holds ': '"
    if "tab" in str(error.problem) or "\\t" in str(error.problem):
        return "indent with spaces, not tabs"
    return "check indentation and quotes on this line and the one before"


def _value(node: yaml.Node, path: Path_, source: Source) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, n), source) for n, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    found: dict[str, Any] = {}
    for key_node, child in node.value:
        key = str(key_node.value)
        here = (*path, key)
        line = key_node.start_mark.line + 1
        if key in found:
            first = source.lines[here]
            source.faults.append(Fault(source.file, line, f"{key!r} stands twice here, first in line {first}", "keep one"))
            continue
        source.lines[here] = line
        found[key] = _value(child, here, source)
    return found


def _scalar(node: yaml.Node) -> Any:
    """Everything is text but booleans written as such: a trainer's « 12:30 » or « 2026-11-23 » stays what was typed."""
    if node.tag.endswith(":bool") and node.value.lower() in ("true", "false"):
        return node.value.lower() == "true"
    if node.tag.endswith(":null") and node.value in ("", "~", "null"):
        return None
    return node.value
