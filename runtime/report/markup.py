"""Elements of a page: text is escaped by construction, never by remembering to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element
Child = Element | str
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What HTML has no way to write, escaped or not."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
IMAGES = "; img-src data:"
_RENAMED = {"class_": "class", "for_": "for", "type_": "type"}


def node(tag: str, *children: Child | None, **attributes: object) -> Element:
    """An element.

    Args:
        tag: its name.
        children: elements and text, in order; None is left out.
        attributes: `class_` is `class`, other underscores are hyphens; None is left out.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(_RENAMED.get(name, name.replace("_", "-")), clean(str(value)))
    return add(made, *children)


def add(parent: Element, *children: Child | None) -> Element:
    """Append elements and text; returns the parent."""
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            _append_text(parent, clean(child))
        else:
            parent.append(child)
    return parent


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def clean(text: str) -> str:
    """Without characters that cannot be shown."""
    return _UNPRINTABLE.sub("\ufffd", text)


def data(identity: str, value: object) -> Element:
    """A block of JSON that a script can read; nothing in it can end the block."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    block = Element("script", {"type": "application/json", "id": identity})
    block.text = text
    return block


def html(root: Element) -> str:
    """The whole page as text."""
    return "<!DOCTYPE html>\n" + ElementTree.tostring(root, encoding="unicode", method="html")


def page_head(
    title: str, style: str, *, with_images: bool = False, schemes: str = "light dark"
) -> Element:
    """A page's head: no script, and no request to anywhere.

    Args:
        title: of the page.
        style: CSS, stands in the page.
        with_images: pictures as data URLs may be shown.
        schemes: of colours, that the style knows.
    """
    sheet, policy = node("style"), node("meta", content=POLICY + IMAGES * with_images)
    sheet.text = style
    policy.set("http-equiv", "Content-Security-Policy")
    return node(
        "head",
        node("meta", charset="utf-8"),
        policy,
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="color-scheme", content=schemes),
        node("title", title),
        sheet,
    )


def table(head: Iterable[str], rows: Iterable[Iterable[Child]], class_: str) -> Element:
    """A table; each cell also carries its heading, for narrow screens."""
    titles = list(head)
    body = node("tbody")
    for row in rows:
        cells = zip(titles, row, strict=True)
        body.append(node("tr", *(node("td", cell, data_head=title) for title, cell in cells)))
    header = node("thead", node("tr", *(node("th", title, scope="col") for title in titles)))
    return node("table", header, body, class_=class_)
