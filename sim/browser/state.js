"use strict";
// One object holds what is chosen; every part of the page draws itself from it and nothing else.
const Browser = {};
const state = {
  data: null, shown: [], wanted: new Set(), ranges: {}, order: "number", part: "frames", open: null, cursor: 0,
  picture: 0, overlays: new Set(), marks: new Set(["tight", "names"]), opacity: 0.6, details: new Map(), hovered: null,
};
const OBJECT = { category: 0, visible: 1, pixels: 2, distance: 3 };
const RANGES = [
  { key: "visible", name: "Visible share", unit: "%", scale: 100, digits: 0 },
  { key: "pixels", name: "Visible pixels", unit: "px", scale: 1, digits: 0, log: true },
  { key: "distance", name: "Distance", unit: "m", scale: 1, digits: 2 },
];
const $ = (id) => document.getElementById(id);
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key.startsWith("aria-")) node.setAttribute(key, String(value));
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
function svg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
function padded(number) { return String(number).padStart(4, "0"); }
function passes(object) {
  if (state.wanted.size && !state.wanted.has(object[OBJECT.category])) return false;
  return RANGES.every(({ key }) => {
    const range = state.ranges[key];
    return !range || (object[OBJECT[key]] >= range.low && object[OBJECT[key]] <= range.high);
  });
}
function isFiltered() { return state.wanted.size > 0 || Object.values(state.ranges).some((r) => r && r.set); }
const ORDERS = {
  number: () => 0,
  least: (f) => Math.min(...f.objects.map((o) => o[OBJECT.visible]), 2),
  small: (f) => Math.min(...f.objects.map((o) => o[OBJECT.pixels]), 1e9),
  far: (f) => -Math.max(...f.objects.map((o) => o[OBJECT.distance]), 0),
  many: (f) => -f.objects.length,
};
function refilter() {
  const { frames } = state.data;
  const numbers = frames.map((_, k) => k);
  state.shown = isFiltered() ? numbers.filter((k) => frames[k].objects.some(passes)) : numbers;
  const rank = ORDERS[state.order];
  const ranks = new Map(state.shown.map((k) => [k, rank(frames[k])]));
  state.shown.sort((a, b) => ranks.get(a) - ranks.get(b) || a - b);
  const objects = state.shown.reduce((n, k) => n + frames[k].objects.filter(passes).length, 0);
  $("count").textContent = `${state.shown.length} of ${frames.length} frames, ${objects} objects` + (isFiltered() ? " that match" : "");
  state.cursor = Math.min(state.cursor, Math.max(state.shown.length - 1, 0));
  if (state.open === null) { scrollTo(0, 0); state.cursor = 0; }  // another list is looked at from its beginning
  drawGrid();
  drawFigures();
  if (state.open !== null) drawViewer();
}
