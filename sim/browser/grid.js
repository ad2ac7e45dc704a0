// The grid of thumbnails and the filters beside it. Only the cards near the window exist, so 100,000 frames cost as much as 100.
const drawn = new Map();  // cards by their place among the frames that are shown
function drawGrid() {
  const [width, height] = state.data.size;
  document.documentElement.style.setProperty("--ratio", `${width} / ${height}`);
  $("none").hidden = state.shown.length > 0;
  drawn.clear();
  $("grid").replaceChildren();
  drawWindow();
}
function cardAt(place) {
  const [width, height] = state.data.size, k = state.shown[place], frame = state.data.frames[k];
  const image = make("img", { src: `thumbs/${padded(k)}.jpg`, decoding: "async", width, height, alt: `Frame ${k}` });
  const label = isFiltered() ? `${frame.objects.filter(passes).length} of ${frame.objects.length}` : `${frame.objects.length}`;
  return make("a", { class: "frame", href: `#${k}`, "data-frame": k, "data-place": place, title: frame.name },
    image, make("span", { class: "frame-number" }, String(k)), make("span", { class: "frame-objects" }, `${label} objects`));
}
// All cards are alike, so what a row measures follows from the grid's width; null while the grid is not on the page.
function measureGrid() {
  const style = getComputedStyle($("grid")), tracks = style.gridTemplateColumns.split(" ");
  const [width, height] = state.data.size, cardWidth = parseFloat(tracks[0]);
  if (!$("grid").clientWidth || !cardWidth) return null;
  return { columns: tracks.length, row: (cardWidth * height) / width + parseFloat(style.rowGap), top: $("grid").getBoundingClientRect().top };
}
// Keeps the cards of the window and of one window above and below; padding stands for the rest, so the scroll bar is true.
function drawWindow() {
  const size = measureGrid();
  if (!size) return;
  const grid = $("grid"), rows = Math.ceil(state.shown.length / size.columns);
  const row = (y) => Math.min(Math.max(Math.floor((y - size.top) / size.row), 0), rows);
  const from = row(-innerHeight), to = row(2 * innerHeight + size.row);
  const first = from * size.columns, end = Math.min(to * size.columns, state.shown.length);
  for (const [place, card] of drawn) if (place < first || place >= end) { card.remove(); drawn.delete(place); }
  for (let place = end - 1, next = null; place >= first; place -= 1) {
    if (!drawn.has(place)) { drawn.set(place, cardAt(place)); grid.insertBefore(drawn.get(place), next); }
    next = drawn.get(place);
  }
  grid.style.padding = `${from * size.row}px 0 ${(rows - to) * size.row}px`;
}
function columnsOfGrid() { const size = measureGrid(); return size ? size.columns : 1; }
// A step from a cursor that was scrolled far away starts with the first card that is whole in the window.
function moveCursor(step) {
  const size = measureGrid(), last = Math.max(state.shown.length - 1, 0);
  const lost = size && !drawn.has(state.cursor);
  const next = lost && step ? Math.max(Math.ceil(-size.top / size.row), 0) * size.columns : state.cursor + step;
  state.cursor = Math.min(Math.max(next, 0), last);
  if (lost && !drawn.has(state.cursor)) {
    scrollBy(0, size.top + Math.floor(state.cursor / size.columns) * size.row - innerHeight / 2);
    drawWindow();
  }
  const card = drawn.get(state.cursor);
  if (card) { card.focus({ preventScroll: true }); card.scrollIntoView({ block: "nearest" }); }
}
function drawFilters() {
  const used = new Map();
  for (const frame of state.data.frames) for (const o of frame.objects) used.set(o[0], (used.get(o[0]) || 0) + 1);
  const chips = [...used.keys()].sort((a, b) => a - b).map((id) => {
    const category = state.data.categories[id];
    return make("button", { class: "chip", "aria-pressed": state.wanted.has(id), "data-category": category.name,
      onclick: () => { state.wanted.has(id) ? state.wanted.delete(id) : state.wanted.add(id); drawFilters(); refilter(); } },
      make("span", { class: "dot", style: `background:${category.colour}` }), category.name, make("small", {}, String(used.get(id))));
  });
  $("categories").replaceChildren(...chips);
  $("ranges").replaceChildren(...RANGES.map(rangeField));
}
function rangeField(rule) {
  const values = state.data.frames.flatMap((f) => f.objects.map((o) => o[OBJECT[rule.key]]));
  const least = rule.key === "distance" && values.length ? Math.floor(Math.min(...bounds(values)) * 20) / 20 : 0;
  const most = rule.key === "visible" ? 1 : Math.max(...bounds(values), 1);
  const current = state.ranges[rule.key] || { low: least, high: most };
  const inputs = ["low", "high"].map((end) => make("input", {
    type: "number", step: "any", min: "0", "aria-label": `${rule.name} ${end === "low" ? "from" : "to"}`, "data-range": `${rule.key}-${end}`,
    value: String(Number((rule.scale * current[end]).toFixed(rule.digits))),
    onchange: (event) => {
      const given = event.target.value === "" ? (end === "low" ? least : most) : Number(event.target.value) / rule.scale;
      const next = { ...(state.ranges[rule.key] || { low: least, high: most }), [end]: given, set: true };
      if (rule.digits < 3 && end === "high" && Math.abs(given - most) * rule.scale < 10 ** -rule.digits) next.high = most;
      state.ranges[rule.key] = next;
      refilter();
    },
  }));
  return make("div", { class: "range" }, make("span", {}, `${rule.name}, ${rule.unit}`), inputs[0], make("span", { class: "to" }, "to"), inputs[1]);
}
function bounds(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
  return low <= high ? [low, high] : [0, 0];
}
