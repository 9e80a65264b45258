"""A knowledge folder that a service learns in a moment: the bot's real lines and formats, a handful of topics."""

from __future__ import annotations

import shutil
from pathlib import Path

REAL = Path(__file__).parent.parent / "knowledge"
FEW = Path(__file__).parent / "data" / "small"


def small_knowledge(folder: Path) -> Path:
    """Make it there; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("voice.yaml", "formats.yaml", "words.yaml", "organisation.yaml", "policy.yaml"):
        shutil.copy(REAL / name, folder)
    for file in FEW.glob("*.yaml"):
        shutil.copy(file, folder)
    return folder
