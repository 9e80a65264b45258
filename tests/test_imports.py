"""Who may import whom: the layers that ``docs/architecture.md`` draws, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

BOT = Path(__file__).parent.parent / "bot"
ALLOWED = {
    "core": {"core", "errors"},
    "library": {"core", "errors", "library"},
    "store": {"core", "errors", "store"},
    "channels": {"core", "errors", "channels"},
    "flow": {"core", "errors", "flow"},
    "errors": set(),
    "settings": {"core", "errors"},
}


def imported(file: Path) -> set[str]:
    """The parts of ``bot`` that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found |= {name.split(".")[1] for name in names if name.startswith("bot.")}
    return found


@pytest.mark.parametrize("file", sorted(BOT.rglob("*.py")), ids=lambda f: str(f.relative_to(BOT)))
def test_each_layer_imports_only_what_it_may(file: Path) -> None:
    layer = file.relative_to(BOT).parts[0].removesuffix(".py")
    if layer in ALLOWED:
        assert imported(file) <= ALLOWED[layer]


def test_the_service_needs_nothing_that_made_its_encoder() -> None:
    for file in BOT.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        named = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not {name.split(".")[0] for name in named} & {"teaching", "torch"}, file


@pytest.mark.parametrize("file", sorted((BOT / "core").glob("*.py")), ids=lambda f: f.name)
def test_the_core_waits_for_nothing_and_asks_no_clock(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"open", "datetime.now", "datetime.utcnow", "time.time", "random.random", "print"}
    if file.name != "ports.py":
        assert not [node for node in ast.walk(tree) if isinstance(node, (ast.AsyncFunctionDef, ast.Await))]
