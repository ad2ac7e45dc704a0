// What the person does: clicks, keys and the address; then the first drawing once the data is there.
function showPart(part) {
  state.part = part;
  for (const name of ["frames", "figures"]) {
    $(name).hidden = name !== part;
    $(`tab-${name}`).setAttribute("aria-selected", String(name === part));
  }
  if (part === "frames") drawWindow();
  drawFigures();
}
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}
function followAddress() {
  const number = /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : null;
  if (number !== null && number < state.data.frames.length) openFrame(number);
  else if (state.open !== null) closeFrame();
}
function flip(set, key) { set.has(key) ? set.delete(key) : set.add(key); drawViewer(); }
const VIEWER_KEYS = {
  ArrowRight: () => stepFrame(1), ArrowDown: () => stepFrame(1), ArrowLeft: () => stepFrame(-1), ArrowUp: () => stepFrame(-1),
  Escape: closeFrame, o: () => { state.overlays.clear(); state.marks.clear(); drawViewer(); },
  c: () => flip(state.overlays, "semantic_segmentation"), i: () => flip(state.overlays, "instance_segmentation"),
  t: () => flip(state.marks, "tight"), l: () => flip(state.marks, "loose"), b: () => flip(state.marks, "edges"), n: () => flip(state.marks, "names"),
};
const GRID_KEYS = {
  ArrowRight: () => moveCursor(1), ArrowLeft: () => moveCursor(-1), ArrowDown: () => moveCursor(columnsOfGrid()), ArrowUp: () => moveCursor(-columnsOfGrid()),
  Enter: () => { if (state.shown.length) location.hash = `#${state.shown[state.cursor]}`; },
};
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
  const keys = { ...(state.open === null ? (state.part === "frames" ? GRID_KEYS : {}) : VIEWER_KEYS),
    d: switchTheme, f: () => showPart(state.part === "frames" ? "figures" : "frames"), "?": () => { $("keys").hidden = !$("keys").hidden; } };
  if (!$("keys").hidden && event.key === "Escape") { $("keys").hidden = true; return; }
  if (state.open !== null && /^[1-9]$/.test(event.key) && Number(event.key) <= pictureLayers().length) { state.picture = Number(event.key) - 1; drawViewer(); return; }
  if (event.key === "Enter" && event.target.tagName === "BUTTON") return;
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
}
Browser.data = (data) => {
  state.data = data;
  drawFilters();
  refilter();
  $("tab-frames").onclick = () => showPart("frames");
  $("tab-figures").onclick = () => showPart("figures");
  $("theme").onclick = switchTheme;
  $("keys-button").onclick = () => { $("keys").hidden = !$("keys").hidden; };
  $("keys").onclick = () => { $("keys").hidden = true; };
  $("back").onclick = closeFrame;
  $("previous").onclick = () => stepFrame(-1);
  $("next").onclick = () => stepFrame(1);
  $("order").onchange = (event) => { state.order = event.target.value; refilter(); };
  $("opacity").oninput = (event) => { state.opacity = event.target.value / 100; drawViewer(); };
  $("reset").onclick = () => { state.wanted.clear(); state.ranges = {}; drawFilters(); refilter(); };
  $("grid").addEventListener("focusin", (event) => { const card = event.target.closest("[data-place]"); if (card) state.cursor = Number(card.dataset.place); });
  if (matchMedia("(max-width: 800px)").matches) $("filters").open = false;
  addEventListener("keydown", onKey);
  addEventListener("hashchange", followAddress);
  addEventListener("scroll", drawWindow, { passive: true });
  addEventListener("resize", drawWindow);
  followAddress();
};
