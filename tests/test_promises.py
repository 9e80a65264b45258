"""Each test that ``docs/promises.md`` names exists, and each of the forty cases has one."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
PROMISES = TESTS.parent / "docs" / "promises.md"


def existing() -> set[str]:
    return {name for file in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)\(", file.read_text("utf-8"))}


def test_each_test_that_a_promise_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PROMISES.read_text("utf-8")))
    assert named
    assert named <= existing()


def test_each_of_the_forty_cases_has_a_test() -> None:
    numbers = {int(n) for name in existing() for n in re.findall(r"(?:case|and)_(\d+)_", name)}
    assert set(range(1, 41)) <= numbers
