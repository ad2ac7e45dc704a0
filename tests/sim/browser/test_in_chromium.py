"""The pages in a real browser, headless and without a network: what is drawn, filtered and opened by keys and clicks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.browser import write_browser
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.sim.fake_frames import FakeSource

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--virtual-time-budget=5000", "--window-size=1200,800",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (apt-get install chromium)")

# Runs in the page after it is drawn, as a person would: each step notes what is there.
STEPS = """
<script>addEventListener("load", async () => {
  const out = {}, pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const key = (k) => dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
  addEventListener("error", (event) => { out.error = String(event.message); });
  const all = (selector) => [...document.querySelectorAll(selector)];
  await pause(50);
  out.cards = all(".frame").length; out.count = $("count").textContent;
  out.thumbs = all(".frame img").slice(0, 3).map((i) => i.complete && i.naturalWidth > 0);
  out.chips = all("#categories .chip").map((c) => c.dataset.category);
  all("#categories .chip")[0].click();
  out.chosen = all("#categories .chip[aria-pressed=true]").map((c) => c.dataset.category);
  out.filtered = all(".frame").map((f) => Number(f.dataset.frame));
  const range = document.querySelector("[data-range=visible-low]"); range.value = "101"; range.dispatchEvent(new Event("change"));
  out.none = all(".frame").length + ($("none").hidden ? "" : " and a sentence");
  $("reset").click();
  $("order").value = "many"; $("order").dispatchEvent(new Event("change"));
  out.order = all(".frame").map((f) => state.data.frames[f.dataset.frame].objects.length);
  $("order").value = "number"; $("order").dispatchEvent(new Event("change"));
  key("ArrowRight"); key("Enter"); await pause(300);
  out.open = $("viewer").hidden ? null : $("viewer-name").textContent;
  out.rows = all("#objects tbody tr").length;
  out.rectangles = all("#stage rect.tight").length;
  key("b"); out.lines = all("#stage line").length;
  key("c"); key("i"); await pause(200);
  out.layers = all("#stage img").map((i) => [i.dataset.layer, i.naturalWidth]);
  key("2"); await pause(100); out.picture = all("#stage img")[0].dataset.layer; out.note = $("note").textContent;
  out.pressed = all("#pictures [aria-pressed=true]").map((c) => c.dataset.picture);
  key("ArrowRight"); await pause(200); out.next = $("viewer-place").textContent;
  key("Escape"); await pause(50); out.closed = $("viewer").hidden;
  key("f"); out.cardsOfFigures = all("#figures .card h3").map((h) => h.textContent);
  out.bars = all("#figures .bars .bar-label").length;
  key("d"); out.theme = document.documentElement.dataset.theme;
  const pre = document.createElement("pre"); pre.id = "out"; pre.textContent = JSON.stringify(out); document.body.append(pre);
});</script>
"""

# The same frames again and again, 3,000 in all: what a person sees after a scroll to the end, a step there, and a filter.
MANY_STEPS = """
<script>addEventListener("load", async () => {
  const out = {}, pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const key = (k) => dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
  const cards = () => [...document.querySelectorAll(".frame")].map((f) => Number(f.dataset.frame));
  const inWindow = (e) => { const r = e.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; };
  const given = state.data.frames;
  state.data.frames = Array.from({ length: 3000 }, (_, k) => given[k % given.length]);
  refilter(); await pause(50);
  out.first = cards();
  const height = document.body.scrollHeight;
  scrollTo(0, height); dispatchEvent(new Event("scroll")); await pause(100);
  out.last = cards(); out.grew = document.body.scrollHeight - height;
  key("ArrowRight"); await pause(50);
  out.focused = Number(document.activeElement.dataset.frame); out.seen = inWindow(document.activeElement);
  location.hash = "#0"; await pause(100);
  key("Escape"); await pause(50);
  out.back = Number(document.activeElement.dataset.frame); out.backSeen = inWindow(document.activeElement);
  scrollTo(0, 9000); $("order").dispatchEvent(new Event("change")); out.top = scrollY;
  $("tab-figures").click(); document.querySelector("#categories .chip").click(); $("tab-frames").click(); await pause(50);
  out.filtered = cards().length; out.count = $("count").textContent;
  const pre = document.createElement("pre"); pre.id = "out"; pre.textContent = JSON.stringify(out); document.body.append(pre);
});</script>
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("chromium") / "data"
    spec = GenerateSpec(suite="tabletop", out=out, frames=9, split="test", size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return Dataset.open(out)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("chromium") / "pages"
    write_browser(dataset.path, folder)
    return folder


@pytest.fixture(scope="module")
def seen(folder, tmp_path_factory) -> dict:
    return _noted(folder, STEPS, tmp_path_factory.mktemp("profile"))


def _noted(folder: Path, steps: str, profile: Path) -> dict:
    page = folder / f"{profile.name}.html"
    page.write_text((folder / "index.html").read_text().replace("</body>", steps + "</body>"))
    return json.loads(_dom(page, profile))


def _dom(page: Path, profile: Path) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert found, done.stderr[-2000:]
    return found[1].replace("&quot;", '"').replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


def test_no_script_fails(seen):
    assert "error" not in seen


def test_every_frame_is_there_with_its_thumbnail(seen, dataset):
    objects = sum(len(frame.truth.objects) for frame in dataset)
    assert seen["cards"] == 9
    assert seen["count"] == f"9 of 9 frames, {objects} objects"
    assert seen["thumbs"] == [True, True, True]


def test_a_category_keeps_the_frames_that_have_it(seen, dataset):
    from scenes.taxonomy import TAXONOMY

    used = sorted({r.category_id for frame in dataset for r in frame.truth.objects})
    assert seen["chips"] == [TAXONOMY[c].name for c in used]
    assert seen["chosen"] == seen["chips"][:1]
    having = [k for k, f in enumerate(dataset) if any(r.category_id == used[0] for r in f.truth.objects)]
    assert seen["filtered"] == having
    assert seen["none"] == "0 and a sentence"


def test_order_by_number_of_objects(seen):
    assert seen["order"] == sorted(seen["order"], reverse=True)


def test_a_frame_opens_by_key_with_its_boxes_overlays_and_rows(seen, dataset):
    truth = dataset[1].truth
    assert seen["open"] == dataset.names[1]
    assert seen["rows"] == len(truth.objects)
    assert seen["rectangles"] == sum(r.visible_box_px is not None for r in truth.objects)
    assert seen["lines"] > 0
    assert seen["layers"] == [["rgb", 64], ["semantic_segmentation", 64], ["instance_segmentation", 64]]
    assert (seen["picture"], seen["pressed"]) == ("distance_to_image_plane", ["distance_to_image_plane"])
    assert seen["note"].startswith("red ")
    assert seen["next"] == "3 of 9"
    assert seen["closed"]


def test_figures_are_drawn_and_the_theme_can_be_chosen(seen):
    assert "Objects by category" in seen["cardsOfFigures"]
    assert "Depth of all pixels" in seen["cardsOfFigures"]
    assert seen["bars"] >= len(seen["chips"])
    assert seen["theme"] in {"dark", "light"}


def test_of_many_frames_only_those_near_the_window_are_drawn(folder, tmp_path_factory):
    many = _noted(folder, MANY_STEPS, tmp_path_factory.mktemp("many"))
    assert many["first"][:9] == list(range(9))
    assert many["last"][-1] == 3000 - 1
    assert max(len(many["first"]), len(many["last"]), many["filtered"]) < 100
    assert abs(many["grew"]) < 3  # the scroll bar was true before the last cards were there
    assert many["focused"] > 3000 - 100
    assert (many["seen"], many["back"], many["backSeen"]) == (True, 0, True)
    assert many["top"] == 0
    assert many["filtered"] > 0
    assert " of 3000 frames" in many["count"]
