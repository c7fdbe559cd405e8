"""Open every page of a report in a headless Chromium, as its readers do, and say what is wrong with it.

Usage: browse_pages.py AXE.js REPORTS/DATASET [REPORTS/DATASET ...]

Each page is opened wide and on a phone, in the light and in the dark, and as it is printed. It must ask for nothing,
break no policy, write nothing on the console, never be wider than the screen, hold sharp figures, and give axe-core
(https://github.com/dequelabs/axe-core) no serious or critical finding.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import browser

WIDE, PHONE = 1280, 390
PAPER = 658
"""Width of what is printed on A4 with margins of 18 mm, CSS pixels."""

SHEET = 986
"""Its height."""

VIEWS = [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")]

LAYOUT = """
(screen => {
  const found = [], wide = document.scrollingElement.scrollWidth;
  if (wide > screen) found.push(`is ${wide} px wide on a screen of ${screen}`);
  for (const image of document.images) {
    const drawn = image.naturalWidth / image.clientWidth;
    if (!(drawn >= 1.99)) found.push(`has a figure of ${drawn.toFixed(2)} pixels a pixel: ${image.alt.slice(0, 60)}`);
  }
  for (const table of document.querySelectorAll("table")) {
    const box = table.closest(".scroll");
    if (!box || getComputedStyle(box).overflowX !== "auto") found.push("has a table outside of a box that scrolls");
  }
  const names = [...document.querySelectorAll("[id]")].map(element => element.id);
  for (const name of new Set(names.filter((name, at) => names.indexOf(name) !== at))) found.push(`has two #${name}`);
  for (const place of [...document.querySelectorAll('a[href^="#"]')].map(link => link.getAttribute("href")))
    if (!names.includes(place.slice(1))) found.push(`links to ${place}, not there`);
  return found;
})
"""

PRINTED = f"""
(() => {{
  const found = [], wide = document.scrollingElement.scrollWidth;
  if (wide > {PAPER}) found.push(`is ${{wide}} px wide on paper of {PAPER}`);
  for (const kind of ["table", "figure", "img", "svg", "pre"])
    for (const element of document.querySelectorAll(kind)) {{
      const edge = Math.round(element.getBoundingClientRect().right);
      if (edge > {PAPER}) found.push(`has a ${{kind}} that ends at ${{edge}} px on paper of {PAPER}`);
    }}
  for (const cell of document.querySelectorAll("th:not(.long), td:not(.long)")) {{
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (texts.nextNode())
      for (const word of texts.currentNode.data.matchAll(/[\\p{{L}}\\p{{N}}]+/gu)) {{
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        if (range.getClientRects().length > 1) found.push(`cuts the word ${{word[0]}} in a table`);
      }}
  }}
  for (const element of document.querySelectorAll("*"))
    if (!["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"].includes(getComputedStyle(element).backgroundColor))
      found.push(`prints a ground of colour: ${{element.outerHTML.slice(0, 60)}}`);
  for (const heading of document.querySelectorAll("h2, h3, h4, .title"))
    if (getComputedStyle(heading).breakAfter !== "avoid")
      found.push(`may leave a heading at the foot of a sheet: ${{heading.innerText.slice(0, 60)}}`);
  for (const name of [".bar", ".skip", ".contents", ".code"])
    for (const element of document.querySelectorAll(name))
      if (getComputedStyle(element).display !== "none") found.push(`prints its ${{name}}`);
  for (const figure of document.querySelectorAll("figure:not(.table)")) {{
    if (figure.offsetHeight > {SHEET}) found.push(`has a figure of ${{figure.offsetHeight}} px on a sheet of {SHEET}`);
    if (getComputedStyle(figure).breakInside !== "avoid") found.push("has a figure that may be cut");
    for (const image of figure.querySelectorAll("img"))
      if (getComputedStyle(image).filter !== "none") found.push("prints a figure turned over");
  }}
  return found;
}})()
"""

AXE = """
axe.run(document, {preload: false, resultTypes: ["violations"]}).then(({violations}) => violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .map(({id, help, nodes}) => {
    const why = nodes[0].any.map(part => part.message).join("; ");
    return `axe ${id}: ${help} (${nodes.length}): ${nodes[0].html.slice(0, 120)} ${why}`;
  }))
"""

CODE = "document.querySelector('#show-code')?.click()"


def faults(tab: browser.Tab, file: Path, axe: str) -> Iterator[str]:
    """What is wrong with one page, wherever it is looked at.

    Parameters
    ----------
    tab : to look in.
    file : the page.
    axe : the source of axe-core; empty for none.
    """
    for width, theme in VIEWS:
        tab.show(width=width, theme=theme)
        tab.open(file)
        found = [*(f"asks for {address}" for address in tab.asked), *tab.said]
        found += tab.run(f"({LAYOUT})({width})")
        if width == WIDE:
            tab.run(CODE)
        if axe:
            tab.run(f"{axe};0")
            found += tab.run(AXE)
        yield from (f"{file.name}, {theme}, {width} px: {fault}" for fault in found)
    tab.show(width=PAPER, theme="dark", medium="print")
    tab.open(file)
    yield from (f"{file.name}, printed: {fault}" for fault in tab.run(PRINTED))


def pages_of(folder: Path) -> list[Path]:
    """The pages of the newest report of a dataset, and those beside its reports."""
    return [*sorted((folder / "latest").glob("*.html")), *sorted(folder.glob("*.html"))]


def main(axe: str, folders: list[str]) -> int:
    """Look at the newest report of each dataset."""
    pages = [page for folder in folders for page in pages_of(Path(folder))]
    source = Path(axe).read_text("utf-8")
    with browser.browsing() as chromium:
        tab = browser.Tab(chromium)
        found = [f"{page.parent}: {fault}" for page in pages for fault in faults(tab, page, source)]
    sys.stdout.write(
        "".join(f"{fault}\n" for fault in found)
        or f"{len(pages)} pages in a browser: nothing asked for, nothing wrong.\n"
    )
    return 0 if pages and not found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
