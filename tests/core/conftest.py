"""The real knowledge and the real matcher, set up once for all conversations."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.decide import Reader
from bot.core.model import Knowledge
from bot.core.rehearse import Rehearsal
from bot.library.load import load
from bot.library.shelf import understanding
from tests.core.talks import DESK

FOLDER = Path(__file__).parents[2] / "knowledge"


@pytest.fixture(scope="package")
def knowledge() -> Knowledge:
    return load(FOLDER)


@pytest.fixture(scope="package")
def reader(knowledge: Knowledge) -> Reader:
    return understanding(knowledge, beside=FOLDER)


@pytest.fixture
def talk(knowledge: Knowledge, reader: Reader) -> Rehearsal:
    return Rehearsal(knowledge, reader, desk=DESK)
