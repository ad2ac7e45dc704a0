"""A data set as a folder of pages that open without a network; `write_browser` makes it. Importing it starts nothing."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {"BrowserSummary": "sim.browser.write", "write_browser": "sim.browser.write"}

__all__ = ["BrowserSummary", "write_browser"]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
