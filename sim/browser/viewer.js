// One frame, large: a picture, overlays over it, outlines as vectors, and its objects as a table.
const MARKS = [
  { key: "tight", name: "visible boxes", letter: "t" }, { key: "loose", name: "whole boxes", letter: "l" },
  { key: "edges", name: "3D boxes", letter: "b" }, { key: "names", name: "names", letter: "n" },
];
Browser.detail = (number, detail) => { state.details.set(number, detail); if (state.open === number) drawViewer(); };
function pictureLayers() { return state.data.layers.filter((layer) => !layer.overlay); }
function overlayLayers() { return state.data.layers.filter((layer) => layer.overlay); }
function openFrame(number) {
  state.open = number;
  const place = state.shown.indexOf(number);
  if (place >= 0) state.cursor = place;
  if (!state.details.has(number)) loadDetail(number);
  $("viewer").hidden = false;
  document.body.classList.add("viewing");
  drawViewer();
  for (const near of [place - 1, place + 1]) if (state.shown[near] !== undefined) preload(state.shown[near]);
}
function closeFrame() {
  state.open = null;
  $("viewer").hidden = true;
  document.body.classList.remove("viewing");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  moveCursor(0);
}
function loadDetail(number) {
  const script = make("script", { src: `details/${padded(number)}.js` });
  script.addEventListener("load", () => script.remove());
  document.head.append(script);
}
function preload(number) { new Image().src = layerFile(pictureLayers()[state.picture], number); }
function layerFile(layer, number) { return `layers/${layer.kind}/${padded(number)}.${layer.suffix}`; }
function stepFrame(step) {
  const place = state.shown.indexOf(state.open) + step;
  if (place >= 0 && place < state.shown.length) location.hash = `#${state.shown[place]}`;
}
function drawViewer() {
  const number = state.open, detail = state.details.get(number);
  const picture = pictureLayers()[state.picture] || pictureLayers()[0];
  $("viewer-name").textContent = state.data.frames[number].name;
  const place = state.shown.indexOf(number);
  $("viewer-place").textContent = place >= 0 ? `${place + 1} of ${state.shown.length}` : "not among the filtered";
  $("pictures").replaceChildren(...pictureLayers().map((layer, k) => make("button", { class: "chip", "aria-pressed": layer === picture,
    "data-picture": layer.kind, onclick: () => { state.picture = k; drawViewer(); } }, layer.name, make("kbd", {}, String(k + 1)))));
  const toggles = [...overlayLayers().map((layer) => toggle(layer.name, layer.kind, state.overlays, layer.name[0])),
    ...MARKS.map((mark) => toggle(mark.name, mark.key, state.marks, mark.letter))];
  $("overlays").replaceChildren(...toggles);
  const image = (layer, opacity) => make("img", { src: layerFile(layer, number), alt: layer.name, style: `opacity:${opacity}`, "data-layer": layer.kind });
  const layers = overlayLayers().filter((layer) => state.overlays.has(layer.kind)).map((layer) => image(layer, state.opacity));
  $("stage").replaceChildren(image(picture, 1), ...layers, detail ? outlines(detail) : "");
  $("note").textContent = (detail && detail.notes[picture.kind]) || "";
  drawObjects(detail);
}
function toggle(name, key, set, letter) {
  return make("label", { class: "toggle" }, make("input", { type: "checkbox", checked: set.has(key), "data-overlay": key,
    onchange: () => { set.has(key) ? set.delete(key) : set.add(key); drawViewer(); } }), name, make("kbd", {}, letter));
}
function outlines(detail) {
  const [width, height] = state.data.size;
  const drawing = svg("svg", { viewBox: `-0.5 -0.5 ${width} ${height}`, class: "outlines" });
  for (const object of detail.objects) {
    const group = svg("g", { stroke: object.colour, "data-object": object.id, class: matches(object) ? "" : "faint" });
    if (state.hovered === object.id) group.classList.add("hovered");
    const add = (node) => group.append(node);
    if (state.marks.has("loose") && object.loose) add(rectangle(object.loose, "loose"));
    if (state.marks.has("tight") && object.tight) add(rectangle(object.tight, "tight"));
    if (state.marks.has("edges")) for (const [x1, y1, x2, y2] of object.edges) add(svg("line", { x1, y1, x2, y2 }));
    if (state.marks.has("names") && (object.tight || state.marks.has("loose"))) add(nameTag(object, width));
    drawing.append(group);
  }
  return drawing;
}
function rectangle([left, top, right, bottom], kind) {
  return svg("rect", { x: left - 0.5, y: top - 0.5, width: right - left + 1, height: bottom - top + 1, class: kind });
}
function nameTag(object, width) {
  const [left, top, right] = object.tight || object.loose;
  const late = left > 0.86 * width;
  const x = late ? Math.min(right, width - 3) : Math.max(left, 2);
  const text = svg("text", { x, y: Math.max(top - 0.008 * width, 0.025 * width), "font-size": 0.024 * width, "text-anchor": late ? "end" : "start" });
  text.textContent = state.data.categories[object.category].name;
  return text;
}
function matches(object) { return !isFiltered() || passes([object.category, object.visible, object.pixels, object.distance]); }
function drawObjects(detail) {
  const rows = detail ? [...detail.objects].sort((a, b) => b.pixels - a.pixels) : [];
  const head = make("tr", {}, ...["object", "visible", "pixels", "m"].map((h) => make("th", {}, h)));
  $("objects").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows.map((object) =>
    make("tr", { class: matches(object) ? "" : "faint", title: `${object.body}, box ${object.size.join(" x ")} m`,
      onmouseenter: () => hover(object.id), onmouseleave: () => hover(null) },
      make("td", {}, make("span", { class: "dot", style: `background:${object.colour}` }), object.body.replace(/_/g, " ")),
      make("td", {}, Number.isFinite(object.visible) ? (object.tight || object.visible > 0 ? `${Math.round(100 * object.visible)} %` : "hidden") : "?"), make("td", {}, String(object.pixels)), make("td", {}, Number.isFinite(object.distance) ? object.distance.toFixed(2) : "?")))));
  const names = detail ? detail.stuff.map((id) => state.data.categories[id].name) : [];
  $("stuff").textContent = names.length ? `Around them: ${names.join(", ")}.` : "";
}
function hover(id) {
  state.hovered = id;
  for (const group of document.querySelectorAll("#stage g")) group.classList.toggle("hovered", id !== null && group.dataset.object === String(id));
}
