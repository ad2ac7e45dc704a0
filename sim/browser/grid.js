// The grid of thumbnails and the filters beside it. Cards far from the window cost nothing: content-visibility and lazy images.
function drawGrid() {
  const [width, height] = state.data.size;
  const cards = state.shown.map((k, place) => {
    const frame = state.data.frames[k];
    const matching = frame.objects.filter(passes).length;
    const image = make("img", { src: `thumbs/${padded(k)}.jpg`, loading: "lazy", decoding: "async", width, height, alt: `Frame ${k}` });
    const label = isFiltered() ? `${matching} of ${frame.objects.length}` : `${frame.objects.length}`;
    return make("a", { class: "frame", href: `#${k}`, "data-frame": k, "data-place": place, title: frame.name },
      image, make("span", { class: "frame-number" }, String(k)), make("span", { class: "frame-objects" }, `${label} objects`));
  });
  $("grid").replaceChildren(...cards);
  $("none").hidden = cards.length > 0;
  document.documentElement.style.setProperty("--ratio", `${width} / ${height}`);
}
function columnsOfGrid() {
  const cards = $("grid").children;
  if (cards.length < 2) return 1;
  const top = cards[0].offsetTop;
  let count = 0;
  while (count < cards.length && cards[count].offsetTop === top) count += 1;
  return count;
}
function moveCursor(step) {
  const place = Math.min(Math.max(state.cursor + step, 0), state.shown.length - 1);
  state.cursor = Math.max(place, 0);
  const card = $("grid").children[state.cursor];
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
