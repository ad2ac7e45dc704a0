"""How the pages of `inspect --html` hold up: opens them in headless Chromium and times what a person waits for.

    rehearse inspect out/data --html out/pages
    .venv/bin/python scripts/browser_at_scale.py out/pages

Prints JSON: milliseconds from the start of loading until the page is built and until its first thumbnails show, then of
each step until the next frame is painted (of `end`, until the thumbnails there show), elements in the page and MB of
JavaScript's heap. The page reports to a port of this machine; nothing else is asked of a network.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--window-size=1400,900",
)  # fmt: skip
STEPS = """
<script>addEventListener("load", async () => {
  const out = { built_ms: performance.now() };
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const inWindow = (e) => { const r = e.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; };
  const cards = () => [...document.querySelectorAll(".frame")].filter(inWindow);
  const shows = (card) => { const i = card.querySelector("img"); return i.complete && i.naturalWidth > 0; };
  const thumbs = async () => { do await frame(); while (!cards().length || !cards().every(shows)); };
  const time = async (name, step, until = frame) => {
    const start = performance.now(); step(); await until(); out[name + "_ms"] = performance.now() - start;
  };
  await thumbs(); out.first_thumbnails_ms = performance.now();
  out.thumbnails_in_window = cards().length;
  out.elements = document.querySelectorAll("*").length;
  const chips = () => [...document.querySelectorAll("#categories .chip")];
  await time("filter", () => chips()[0].click());
  out.filtered = $("count").textContent;
  await time("clear", () => $("reset").click());
  await time("order", () => { $("order").value = "least"; $("order").dispatchEvent(new Event("change")); });
  $("order").value = "number"; $("order").dispatchEvent(new Event("change")); await frame();
  await time("end", () => scrollTo(0, document.body.scrollHeight), thumbs);
  out.at_the_end = Math.max(...cards().map((c) => Number(c.dataset.frame)));
  await time("arrow_key", () => dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true })));
  await time("figures", () => $("tab-figures").click());
  out.heap_mb = performance.memory.usedJSHeapSize / 1e6;
  new Image().src = "http://127.0.0.1:%%PORT%%/?" + encodeURIComponent(JSON.stringify(out));
});</script>
"""


def main() -> None:
    """Measures the pages in the folder that is given and prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path)
    found = measured(parser.parse_args().pages)
    print(json.dumps({key: round(value, 1) if isinstance(value, float) else value for key, value in found.items()}, indent=1))


def measured(pages: Path) -> dict[str, Any]:
    """Returns what the page reports; raises SystemExit where there is no Chromium or it says nothing for two minutes."""
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("No Chromium on PATH: apt-get install chromium.")
    reports: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reports.append(unquote(urlsplit(self.path).query))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    text = (pages / "index.html").read_text(encoding="utf-8")
    with HTTPServer(("127.0.0.1", 0), Listener) as server, tempfile.TemporaryDirectory() as profile:
        server.timeout = 120.0
        page = pages / "measured.html"
        page.write_text(text.replace("</body>", STEPS.replace("%%PORT%%", str(server.server_port)) + "</body>"), encoding="utf-8")
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", page.absolute().as_uri()]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.handle_request()
        finally:
            browser.terminate()
            browser.wait()
            page.unlink()
    if not reports:
        raise SystemExit("The page did not report within two minutes.")
    found: dict[str, Any] = json.loads(reports[0])
    return found


if __name__ == "__main__":
    main()
