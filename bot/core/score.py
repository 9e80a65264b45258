"""Decisions against labelled messages: the shares by which understanding is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.policy import Costs

SMALLTALK = frozenset({"greeting", "thanks", "goodbye", "identity", "help"})
PASSED_ON = frozenset({"handoff", "request", "unknown"})
NOT_KNOWLEDGE = SMALLTALK | PASSED_ON | {"offtopic"}
POLICY = frozenset({"accessibility", "adjustments", "platform"})  # may be told beside a request, or left out
SHARES = ("exact", "wrong", "missed", "needless", "asked", "smalltalk", "false_smalltalk", "offtopic", "format", "private")

Pair = tuple[Mapping[str, Any], Mapping[str, Any], bool]  # labelled, decided, in a dialogue


def figures(pairs: Iterable[Pair], costs: Costs | None = None) -> dict[str, float | int | None]:
    """Each share of the messages that it concerns (None where it concerns none), f1 over the topics, and the mean cost."""
    hits: dict[str, int] = {}
    totals: dict[str, int] = {}
    right = extra = short = count = 0
    paid = 0.0
    for item, got, in_dialogue in pairs:
        count += 1
        verdict = judge(item, got, in_dialogue)
        paid += cost(verdict, costs or Costs())
        for name, hit in verdict.items():
            if name in SHARES:
                hits[name] = hits.get(name, 0) + bool(hit)
                totals[name] = totals.get(name, 0) + 1
        right, extra, short = right + verdict["right"], extra + verdict["extra"], short + verdict["short"]
    shares = {name: round(hits[name] / totals[name], 4) if totals.get(name) else None for name in SHARES}
    found = 2 * right + extra + short
    f1 = round(2 * right / found, 4) if found else None
    return {"messages": count, **shares, "f1": f1, "cost": round(paid / count, 4) if count else None}


def cost(verdict: Mapping[str, int], costs: Costs) -> float:
    """What one judged message costs."""
    missed, needless = verdict.get("missed", 0), verdict.get("needless", 0)
    paid = costs.missed * missed + costs.wrong * verdict["wrong"] + costs.needless * needless
    return paid + costs.asked * verdict["asked"] + costs.short * bool(verdict["short"])


def judge(item: Mapping[str, Any], got: Mapping[str, Any], in_dialogue: bool) -> dict[str, int]:
    """One message: what holds of it (only the shares that concern it), and how many topics were right, extra, short."""
    want_all, got_all = set(item["topics"]), set(got["topics"])
    excused = POLICY if want_all & PASSED_ON and got["escalate"] else frozenset()
    want, have = want_all - NOT_KNOWLEDGE, got_all - NOT_KNOWLEDGE
    left_out, not_asked = want - have - excused, have - want - excused
    missed = item["escalate"] == "yes" and not got["escalate"]
    needless = item["escalate"] == "no" and got["escalate"]
    small = bool(got_all & SMALLTALK) and not have and not got["escalate"] and not got["options"]
    found: dict[str, int] = {
        "exact": not (left_out or not_asked or missed or needless),
        "wrong": bool(not_asked),
        "asked": bool(got["options"]),
        "right": len((want & have) - excused),
        "extra": len(not_asked),
        "short": len(left_out),
    }
    if item["escalate"] == "yes":
        found["missed"] = missed
    if item["escalate"] == "no":
        found["needless"] = needless
    if want_all and want_all <= SMALLTALK:
        found["smalltalk"] = small and got_all & SMALLTALK <= want_all
    else:
        found["false_smalltalk"] = small
    if want_all == {"offtopic"}:
        found["offtopic"] = "offtopic" in got_all and not have and not got["escalate"]
    if in_dialogue or item.get("format"):
        found["format"] = got["format"] == item.get("format")
    if {"accessibility", "request"} <= want_all and item["escalate"] == "yes":
        found["private"] = got["escalate"] and got["private"]
    return found
