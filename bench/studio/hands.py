"""The two ways in which a person works in a browser: by keyboard alone, and by mouse. What they do is counted."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from playwright.sync_api import ElementHandle, Page

__all__ = ["PATIENCE", "Closed", "Hands", "Keyboard", "Mouse"]

PATIENCE = 300.0
_MOST_TABS = 250
_FITS = """const fits = (here, css, text) => {
  if (!here || !here.matches(css)) return false;
  const label = here.labels?.[0]?.innerText ?? "", said = here.getAttribute("aria-label") ?? here.innerText ?? "";
  return !text || label.trim().startsWith(text) || said.trim().startsWith(text);
};"""
_TICKED = "document.activeElement.matches('[type=checkbox], [type=radio]')"
_AT = f"([css, text]) => {{ {_FITS} return fits(document.activeElement, css, text); }}"
_FIND = f"""([css, text]) => {{ {_FITS}
  const seen = (item) => item.getClientRects().length > 0 || (item.labels?.[0]?.getClientRects().length ?? 0) > 0;
  const found = [...document.querySelectorAll(css)].find((item) => fits(item, css, text) && seen(item));
  return found && ["radio", "checkbox"].includes(found.type) ? found.labels?.[0] ?? found : found;
}}"""


class Closed(Exception):
    """The window was closed in the middle of something."""


@dataclass
class Hands(ABC):
    """A person at a browser's window. Presses (of keys, or of the mouse) and letters are counted by step, and so are
    the seconds that they wait: for work, and for pages."""

    LEAST: ClassVar[int]
    """Every step takes more presses than so many."""
    page: Page
    presses: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    waited: dict[str, float] = field(default_factory=dict)
    for_pages: dict[str, float] = field(default_factory=dict)
    step: str = ""
    closes_after: int = 0
    """So many presses on, the window is closed; 0: it stays open."""
    sending: Callable[[], None] | None = None
    """What happens right behind the press that sends, before anything is answered."""

    @abstractmethod
    def act(self, css: str, text: str = "") -> None:
        """Do what a press on something does; `text` is how its label or its words begin."""

    @abstractmethod
    def choose(self, name: str, value: str) -> None:
        """Choose among radio buttons."""

    @abstractmethod
    def bring(self, file: Path) -> None:
        """Name a file on the page of footage."""

    def pressed(self) -> None:
        """Count a press that was done."""
        self.presses[self.step] += 1
        if self.closes_after:
            self.closes_after -= 1
            if not self.closes_after:
                raise Closed

    def go(self, css: str, text: str = "", *, sends: bool = False) -> None:
        """Press a link or a button and wait for what comes; with `sends`, it is what the step is about."""
        self.page.wait_for_load_state()
        with self.page.expect_navigation(timeout=1000 * PATIENCE):
            self.act(css, text)
            began = time.monotonic()
            if sends and self.sending:
                self.sending()
        self.for_pages[self.step] = self.for_pages.get(self.step, 0.0) + time.monotonic() - began

    def write(self, css: str, label: str, text: str) -> None:
        """Fill a field in."""
        self.reach(css, label)
        self.page.keyboard.press("Control+a")
        self.pressed()
        self.page.keyboard.type(text)
        self.letters[self.step] += len(text)

    @abstractmethod
    def reach(self, css: str, text: str = "") -> None:
        """Bring the focus to a field."""

    def open(self, name: str) -> None:
        """Go to a page by its link in the head."""
        self.go("nav a", name)

    def save(self, css: str) -> Path:
        """Press a link that downloads; where its file lies."""
        self.page.wait_for_load_state()
        with self.page.expect_download(timeout=1000 * PATIENCE) as saved:
            self.act(css)
            if self.sending:
                self.sending()
        return saved.value.path()


class Keyboard(Hands):
    """Tab, Enter, space, arrows and letters."""

    LEAST = 6

    def key(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed()

    def reach(self, css: str, text: str = "") -> None:
        self.page.wait_for_load_state()
        for _ in range(_MOST_TABS):
            if self.page.evaluate(_AT, [css, text]):
                return
            self.key("Tab")
        raise RuntimeError(f"{css} {text!r} is not reached by Tab on {self.page.url}")

    def act(self, css: str, text: str = "") -> None:
        self.reach(css, text)
        self.key("Space" if self.page.evaluate(_TICKED) else "Enter")

    def choose(self, name: str, value: str) -> None:
        self.reach(f"input[name={name}]")
        for _ in range(20):
            here, on = self.page.evaluate("[document.activeElement.value, document.activeElement.checked]")
            if here == value:
                if not on:
                    self.key("Space")
                return
            self.key("ArrowDown")
        raise RuntimeError(f"{name} has no {value}")

    def bring(self, file: Path) -> None:
        self.write("input[name=path]", "", str(file))

    def open(self, name: str) -> None:
        """By its link in the head, and past the head of the page that comes."""
        self.page.evaluate("document.activeElement?.blur()")
        super().open(name)
        self.past_the_head()

    def past_the_head(self) -> None:
        """Take the link that skips the head of the page."""
        self.page.wait_for_load_state()
        self.page.evaluate("document.activeElement?.blur()")
        self.reach("a.skip")
        self.key("Enter")


class Mouse(Hands):
    """Clicks where the words are; letters where a field takes them. Choosing a file in the system's window counts as
    one click more."""

    LEAST = 1

    def found(self, css: str, text: str) -> ElementHandle:
        self.page.wait_for_load_state()
        item = self.page.evaluate_handle(_FIND, [css, text]).as_element()
        if item is None:
            raise RuntimeError(f"{css} {text!r} is not on {self.page.url}")
        return item

    def reach(self, css: str, text: str = "") -> None:
        self.act(css, text)

    def act(self, css: str, text: str = "") -> None:
        self.found(css, text).click(timeout=1000 * PATIENCE)
        self.pressed()

    def choose(self, name: str, value: str) -> None:
        self.act(f"input[name={name}][value={value}]")

    def bring(self, file: Path) -> None:
        self.page.wait_for_load_state()
        if not self.page.locator("label", has_text=file.name).locator("input[name=upload]:checked").count():
            with self.page.expect_file_chooser() as chooser:
                self.act("input[type=file]")
            with self.page.expect_navigation(timeout=1000 * PATIENCE):
                chooser.value.set_files(file)
                self.pressed()
