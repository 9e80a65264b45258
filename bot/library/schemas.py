"""JSON Schemas of the knowledge files, so that an editor completes and checks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.library.forms import FORMS

_FILES = {
    "language": "english",
    "sheet": "sheet",
    "classes": "conversation",
    "formats": "formats",
    "lines": "voice",
    "words": "words",
    "costs": "policy",
}


def schemas() -> dict[str, str]:
    """File name to content, stable from run to run."""
    found = {}
    for key, form in FORMS.items():
        schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **form.model_json_schema()}
        found[f"{_FILES[key]}.schema.json"] = json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return found


def write(folder: Path) -> list[Path]:
    """Write them into ``folder``/schemas; the files that changed."""
    target = folder / "schemas"
    target.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, content in schemas().items():
        path = target / name
        if not path.exists() or path.read_text("utf-8") != content:
            path.write_text(content, "utf-8")
            changed.append(path)
    return changed
