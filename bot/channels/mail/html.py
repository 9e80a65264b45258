"""The text of an HTML mail, without what the mail program quotes below it. Pure; nothing is loaded, run or shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_CHARS = 400_000  # of HTML that is parsed
MAX_NODES = 40_000
MAX_DEPTH = 500  # elements inside each other; the parser's cost grows with the square of it

# what programs wrap a quoted mail in: Gmail, Yahoo, Thunderbird, Apple Mail, Proton, Zimbra, Outlook for Mac, Domino, Spark
_QUOTES = (
    ".gmail_quote:not(:has(blockquote)), .gmail_attr, blockquote[type=cite], blockquote.gmail_quote, .yahoo_quoted,"
    " .moz-cite-prefix, .protonmail_quote, #OLK_SRC_BODY_SECTION, .zmail_extra, blockquote.iosymail, .moz-forward-container,"
    " .domino-section, [name=messageReplySection]"
)
# marks below which everything is quoted: Outlook on the web and on a phone, Hotmail, Windows Mail
_BELOW = "#appendonsend, #divRplyFwdMsg, #stopSpelling, #mail-editor-reference-message-container, #isForwardContent"
_HIDDEN = "head, style, script, title, template, noscript, object, svg"
_BLOCKS = frozenset(
    """p div br li tr h1 h2 h3 h4 h5 h6 table ul ol dl dt dd hr pre blockquote section article header footer body main aside
    address center form fieldset figure figcaption caption""".split()
)
_TAG = re.compile(r"<[^<>]*>")
_OPENED = re.compile(r"<(/?)(?!(?:p|li|t[rdh]|d[dt]|br|img|hr|meta|link|input|option|col|base|wbr)\b)[a-zA-Z]")
_BLANKS, _BLANKS_WITHIN = re.compile(r"[\s\x00-\x08]+"), re.compile(r"(?:[^\S\n]|[\x00-\x08])+")
_EDGE, _GAP = "\x01", "\x02"  # of a block, of a paragraph: neither can stand in the text itself
_BREAKS = re.compile(f"[{_EDGE}{_GAP}\n][{_EDGE}{_GAP}\n ]*")
_RULED = re.compile(r"border(?:-top)?\s*:\s*(?:none\s*;\s*border-top\s*:\s*)?solid\s+#\w{6}\s+1\.0pt", re.I)  # Outlook's quote


def text_of(html: str) -> str:
    """The visible text, a line for each block; "" where there is none."""
    html = html[:MAX_CHARS]
    if _depth(html) > MAX_DEPTH:
        return " ".join(unescape(_TAG.sub(" ", html)).split())
    tree = LexborHTMLParser(html)
    for selector in (_HIDDEN, _QUOTES):
        for node in tree.css(selector):
            node.decompose()
    root = tree.body or tree.root
    if root is None:
        return ""
    text = _BREAKS.sub(_broken, "".join(_pieces(root, _first(tree))))
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


def _broken(found: re.Match[str]) -> str:
    """Line feeds for a run of block edges and <br>: an edge breaks a line once, a <br> each time, a <p> leaves a blank."""
    run = found[0].replace(" ", "")
    feeds = run.count("\n") + (run[0] != "\n")
    return "\n" * min(2, max(feeds, 2 if _GAP in run else 1))


def _depth(html: str) -> int:
    """How deep the elements stand in each other, at most; those that close themselves are not counted."""
    depth = deepest = 0
    for tag in _OPENED.finditer(html):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest


def _first(tree: LexborHTMLParser) -> int | None:
    """The node (its id in memory) from which on everything is quoted."""
    below = tree.css_first(_BELOW)
    if below is not None:
        return below.mem_id
    for node in tree.css("div[style]"):
        if _RULED.search(node.attributes.get("style") or ""):
            return node.mem_id
    return None


def _set_as_typed(node: LexborNode) -> bool:
    """Whether line feeds of a text are shown as such."""
    around = node.parent
    return around is not None and (around.tag == "pre" or "pre-" in (around.attributes.get("style") or ""))


def _pieces(root: LexborNode, stop: int | None) -> Iterator[str]:
    """Text in document order, with a line feed around blocks. Without recursion: a mail may be nested at will."""
    node: LexborNode | None = root
    for _ in range(MAX_NODES):
        if node is None or node.mem_id == stop:
            return
        tag = node.tag or ""
        if tag == "-text":
            yield (_BLANKS_WITHIN if _set_as_typed(node) else _BLANKS).sub(" ", node.text_content or "")
        elif tag in ("td", "th"):
            yield " "
        elif tag in _BLOCKS:
            yield "\n" if tag == "br" else f"{_EDGE}- " if tag == "li" else _EDGE
        following = node.child
        while following is None:
            if node is None or node.mem_id == root.mem_id:
                return
            if (node.tag or "") in _BLOCKS and node.tag not in ("br", "hr"):
                yield _GAP if node.tag == "p" else _EDGE
            following, node = node.next, node.parent
        node = following
