// Bars of what passes the filters: each is a list of {label, value, colour}; no library, no canvas.
function bars(title, rows, note) {
  const most = Math.max(1, ...rows.map((r) => r.value));
  const total = rows.reduce((n, r) => n + r.value, 0);
  const box = make("div", { class: "card" }, make("h3", {}, title));
  const list = make("div", { class: "bars", role: "img", "aria-label": `${title}: ` + rows.map((r) => `${r.label} ${r.value}`).join(", ") });
  for (const { label, value, colour } of rows) {
    const bar = make("span", { class: "bar-fill", style: `width:${(100 * value) / most}%` + (colour ? `;background:${colour}` : "") });
    list.append(make("span", { class: "bar-label" }, label), make("span", { class: "bar-track" }, bar), make("span", { class: "bar-value" }, short(value)));
  }
  box.append(list);
  if (note) box.append(make("p", { class: "hint" }, note.replace("%n", short(total))));
  return box;
}
function columns(title, edges, counts, format, note) {
  const most = Math.max(1, ...counts), width = 100 / Math.max(counts.length, 1);
  const said = `${title}: from ${format(edges[0])} to ${format(edges[edges.length - 1])}`;
  const chart = svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": said });
  counts.forEach((count, k) => {
    const height = (38 * count) / most;
    const bar = svg("rect", { x: k * width + 0.15, y: 40 - height, width: Math.max(width - 0.3, 0.1), height });
    const tip = svg("title");
    tip.textContent = `${format(edges[k])} to ${format(edges[k + 1])}: ${count}`;
    bar.append(tip);
    chart.append(bar);
  });
  const middle = edges[Math.floor(edges.length / 2)];
  const axis = make("div", { class: "axis" }, ...[edges[0], middle, edges[edges.length - 1]].map((e) => make("span", {}, format(e))));
  return make("div", { class: "card" }, make("h3", {}, title), chart, axis, note ? make("p", { class: "hint" }, note) : "");
}
function short(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)} k` : String(Math.round(value * 100) / 100);
}
function histogram(values, edges) {
  const counts = new Array(edges.length - 1).fill(0);
  for (const value of values) {
    let k = edges.findIndex((edge, i) => i > 0 && value < edge) - 1;
    if (k < 0) k = value >= edges[edges.length - 1] ? counts.length - 1 : 0;
    counts[k] += 1;
  }
  return counts;
}
function drawFigures() {
  if (state.part !== "figures") return;
  const { data, shown } = state;
  const objects = shown.flatMap((k) => data.frames[k].objects.filter(passes));
  const of = (key) => objects.map((o) => o[OBJECT[key]]).filter(Number.isFinite);
  const byCategory = data.categories.map((c, id) => ({ label: c.name, colour: c.colour, value: objects.filter((o) => o[0] === id).length, kind: c.kind }))
    .filter((c) => c.kind === "thing" && c.value > 0).sort((a, b) => b.value - a.value);
  const perFrame = shown.map((k) => data.frames[k].objects.filter(passes).length);
  const most = Math.max(1, bounds(perFrame)[1]);
  const steps = (n, low, high) => Array.from({ length: n + 1 }, (_, k) => low + ((high - low) * k) / n);
  const farthest = Math.max(1, bounds(of("distance"))[1]);
  const powers = Array.from({ length: Math.max(2, Math.ceil(Math.log2(bounds(of("pixels"))[1] + 1)) + 1) }, (_, k) => 2 ** k);
  const facts = make("div", { class: "card wide" }, make("h3", {}, "The data set"), make("table", {}, ...data.facts.map(([k, v]) => make("tr", {}, make("th", {}, k), make("td", {}, v)))));
  const rejected = Object.entries(data.rejected);
  $("figures").replaceChildren(
    facts,
    bars("Objects by category", byCategory, "%n objects in the frames that are shown; one object counts once per frame."),
    columns("Objects per frame", steps(most, 1, most + 1), histogram(perFrame.filter((n) => n > 0), steps(most, 1, most + 1)), (e) => String(Math.round(e))),
    columns("Visible share", steps(20, 0, 1), histogram(of("visible"), steps(20, 0, 1)), (e) => `${Math.round(100 * e)} %`, "Visible pixels over those it would have with nothing in front."),
    columns("Visible pixels of an object", powers, histogram(of("pixels"), powers), short, "In powers of two."),
    columns("Distance of an object", steps(24, 0, farthest), histogram(of("distance"), steps(24, 0, farthest)), (e) => `${e.toFixed(2)} m`),
    depthChart(data),
    rejected.length ? bars("Scenes thrown away, by reason", rejected.map(([label, value]) => ({ label, value })), "%n attempts did not settle and were made again.") :
      make("div", { class: "card" }, make("h3", {}, "Scenes thrown away"), make("p", { class: "hint" }, "None: every scene settled at the first attempt.")),
  );
}
function depthChart(data) {
  const { edges, counts } = data.depth;
  const first = counts.findIndex((n) => n > 0), last = counts.length - 1 - [...counts].reverse().findIndex((n) => n > 0);
  if (first < 0) return make("div", { class: "card" }, make("h3", {}, "Depth"), make("p", { class: "hint" }, "No pixel has a depth."));
  return columns("Depth of all pixels", edges.slice(first, last + 2), counts.slice(first, last + 1), (e) => `${e.toFixed(2)} m`, "In equal ratios, over all frames of the data set, whatever the filters.");
}
