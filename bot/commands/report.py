"""``evaluate --report``: figures, confusions, reliability and the worst messages, as one HTML file without anything outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bot.commands.evaluation import Judged

WORST = 60  # messages shown whole
BINS = 10

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .2rem .5rem; text-align: right; border: 1px solid #d5dae0 }
th { background: #f3f5f7; font-weight: 600 } td.name, th.name { text-align: left } .wide { overflow-x: auto }
.confusion th.turned { writing-mode: vertical-rl; text-align: left } .right { background: #d9efdc } .off { background: #f6d5d0 }
article { border-left: 4px solid #c25b4e; margin: 1.2rem 0; padding: .1rem 1rem } pre { white-space: pre-wrap; font: inherit }
.muted { color: #66707b } figcaption { max-width: 40rem } svg text { font: 12px system-ui, sans-serif; fill: #66707b }
"""


def html(found: Sequence[Judged], figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page."""
    sections = (
        ("Figures", _figures(figures)),
        ("Confusions", _confusion(found)),
        ("Reliability", _reliability(found)),
        ("Worst messages", _worst(found)),
    )
    body = "\n".join(f"<section><h2>{title}</h2>\n{content}\n</section>" for title, content in sections)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Understanding</title><style>{_STYLE}'
    return f'<!doctype html>\n<html lang="en"><head>{head}</style></head>\n<body><h1>Understanding</h1>\n{body}\n</body></html>\n'


def _figures(figures: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(next(iter(figures.values()), {}))
    rows = [[file, *("" if shares[n] is None else str(shares[n]) for n in names)] for file, shares in figures.items()]
    return _table(["file", *names], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def _confusion(found: Sequence[Judged]) -> str:
    """Messages about one thing: what was meant against what was understood."""
    pairs: Counter[tuple[str, str]] = Counter()
    for j in found:
        if len(j.wanted["topics"]) == 1:
            for got in j.got["topics"] or (["(asks back)"] if j.got["options"] else ["(nothing)"]):
                pairs[j.wanted["topics"][0], got] += 1
    rows, columns = sorted({w for w, _ in pairs}), sorted({g for _, g in pairs})
    top = "".join(f'<th class="turned">{escape(c)}</th>' for c in columns)
    lines = []
    for wanted in rows:
        cells = []
        for got in columns:
            count = pairs[wanted, got]
            cells.append(f'<td class="{"right" if wanted == got else "off"}">{count}</td>' if count else "<td></td>")
        lines.append(f'<tr><th class="name">{escape(wanted)}</th>{"".join(cells)}</tr>')
    table = f'<div class="wide"><table class="confusion"><tr><th class="name">meant</th>{top}</tr>{"".join(lines)}</table></div>'
    return f'<p class="muted">Messages labelled with one class; a message that was given two counts in both.</p>{table}'


def reliability(found: Sequence[Judged]) -> list[tuple[float, float, int]]:
    """Of messages read as one part and labelled with one class: mean probability, share that was right, and how many."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for j in found:
        if len(j.wanted["topics"]) == 1 and len(j.reading.questions) == 1 and j.reading.questions[0].matches:
            best = j.reading.questions[0].matches[0]
            right = best.id == j.wanted["topics"][0] or best.id.startswith(j.wanted["topics"][0] + "-")
            bins[min(BINS - 1, int(best.score * BINS))].append((best.score, right))
    return [(sum(s for s, _ in b) / len(b), sum(r for _, r in b) / len(b), len(b)) for b in bins if b]


def _reliability(found: Sequence[Judged]) -> str:
    points = reliability(found)
    total = sum(n for *_, n in points)
    if not total:
        return '<p class="muted">No message is labelled with one class and read as one part.</p>'
    gap = sum(abs(said - right) * n for said, right, n in points) / total
    shown = [(40 + 300 * said, 320 - 300 * right, n) for said, right, n in points]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y, _ in shown)
    dots = "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{2 + n**0.5:.1f}"><title>{n}</title></circle>' for x, y, n in shown)
    frame = '<path d="M40 20V320H340M40 320L340 20" fill="none" stroke="#c3c9d0"/>'
    texts = '<text x="40" y="338">0</text><text x="332" y="338">1</text><text x="20" y="28">1</text>'
    names = '<text x="140" y="338">probability said</text><text x="46" y="16">share that was right</text>'
    drawn = f'{frame}<polyline points="{line}" fill="none" stroke="#2f6fab"/><g fill="#2f6fab">{dots}</g>{texts}{names}'
    told = f"{total} messages of one part; on average {gap:.1%} between what is said and what is right."
    return f'<figure><svg viewBox="0 0 380 345" width="380">{drawn}</svg><figcaption>{told}</figcaption></figure>'


def _worst(found: Sequence[Judged]) -> str:
    failed = sorted((j for j in found if not j.exact), key=lambda j: (-j.cost, j.id))
    shown = "".join(_article(j) for j in failed[:WORST])
    return f'<p class="muted">{len(failed)} of {len(found)} messages are not as labelled, the costliest first.</p>{shown}'


def _article(j: Judged) -> str:
    wanted = f"{', '.join(j.wanted['topics'])}; escalate {j.wanted['escalate']}"
    got = f"{', '.join(j.got['topics']) or 'nothing'}; {'escalated' if j.got['escalate'] else 'not escalated'}"
    got += f"; asks: {', '.join(j.got['options'])}" if j.got["options"] else ""
    rows = [[q.text, *(f"{m.id} {m.score:.0%}" for m in q.matches[:3])] for q in j.reading.questions]
    parts = _table(["part", "likeliest", "", ""], [[*r, "", "", ""][:4] for r in rows]) if rows else ""
    title = f"<h3>{escape(j.id)} <span class='muted'>cost {j.cost:g}</span></h3>"
    said = f"<pre>{escape(str(j.wanted['text']))}</pre>"
    return f"<article>{title}{said}<p>meant: {escape(wanted)}<br>understood: {escape(got)}</p>{parts}</article>"
