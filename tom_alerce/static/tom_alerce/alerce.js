// Enhancements of the pages, which work without them: the interactive light curve, copying of coordinates, a confirmation of unlinking.
(() => {
  "use strict";

  // A click on coordinates copies them.
  document.addEventListener("click", async (event) => {
    const code = event.target.closest("[data-copy]");
    if (!code || !navigator.clipboard) return;
    await navigator.clipboard.writeText(code.textContent.trim());
    code.classList.add("copied");
    setTimeout(() => code.classList.remove("copied"), 1200);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });

  // Keys of the review: y and n decide about the current pair, j and k go on and back.
  let current = -1;
  const all = () => [...document.querySelectorAll(".pair")];
  function go(index) {
    const pairs = all();
    if (!pairs.length) return;
    current = Math.min(Math.max(index, 0), pairs.length - 1);
    pairs.forEach((pair, i) => pair.classList.toggle("current", i === current));
    pairs[current].scrollIntoView({ block: "start" });
    pairs[current].focus({ preventScroll: true });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !all().length) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") go(current + (key === "j" ? 1 : -1));
    else if (key === "y" || key === "n") all()[Math.max(current, 0)].querySelector(`[data-key="${key}"]`)?.click();
  });
  document.addEventListener("click", (event) => {
    const next = event.target.closest("[data-next]");
    if (!next) return;
    event.preventDefault();
    go(all().indexOf(next.closest(".pair")) + 1);
  });

  // Convert a colour of the style sheet to RGB for plotly: draw a pixel of it and read the pixel.
  function palette(element) {
    const probe = element.appendChild(document.createElement("i"));
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const colour = (name) => {
      probe.style.color = `var(${name}, var(--alerce-ink))`;
      pen.fillStyle = getComputedStyle(probe).color;
      pen.fillRect(0, 0, 1, 1);
      return `rgb(${[...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)].join()})`;
    };
    return [colour, () => probe.remove()];
  }

  // Set the colours of a figure from the style sheet, in any theme.
  function coloured(figure, colour) {
    const axis = { gridcolor: colour("--alerce-line"), linecolor: colour("--alerce-line"), zerolinecolor: colour("--alerce-quiet"), automargin: true };
    const data = figure.data.map((trace) => {
      const band = colour("--band-" + CSS.escape(trace.meta.band));
      const line = trace.line && { line: { ...trace.line, color: band }, fillcolor: band.replace("rgb(", "rgba(").replace(")", ",0.18)") };
      return { ...trace, marker: { ...trace.marker, color: band }, error_y: trace.error_y && { ...trace.error_y, color: band }, ...line };
    });
    const layout = {
      ...figure.layout,
      xaxis: { ...axis, ...figure.layout.xaxis }, yaxis: { ...axis, ...figure.layout.yaxis },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("--alerce-ink"), size: 12 },
      margin: { l: 50, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, showlegend: true,
      hoverlabel: { bgcolor: colour("--alerce-panel"), bordercolor: colour("--alerce-line"), font: { color: colour("--alerce-ink") } },
    };
    return [data, layout];
  }

  function draw(holder) {
    let figures = JSON.parse(document.getElementById(holder.dataset.plotly).textContent), joined = false;
    const buttons = [...holder.parentElement.querySelectorAll("button[data-mode]")];
    if (!window.Plotly || !buttons.length) return;
    const chart = document.createElement("div");
    chart.className = "plotly-chart";
    holder.replaceChildren(chart);
    const show = (mode) => {
      const [colour, done] = palette(holder);
      const [data, layout] = coloured(figures[mode], colour);
      done();
      holder.dataset.mode = mode;
      if (joined) data.forEach((trace) => { if (trace.mode === "markers" && trace.x.length > 1) Object.assign(trace, { mode: "lines+markers", line: { width: 1, color: trace.marker.color } }); });
      window.Plotly.react(chart, data, layout, { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] });
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.mode === mode)));
    };
    buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.mode)));
    buttons[0].parentElement.hidden = false;
    const start = () => show(holder.dataset.mode in figures ? holder.dataset.mode : Object.keys(figures)[0]);
    start();
    // Other forms of the light curve, which object.js asks for.
    holder.addEventListener("figures", (event) => {
      figures = event.detail.figures || figures;
      joined = event.detail.joined ?? joined;
      buttons.forEach((button) => { button.hidden = !(button.dataset.mode in figures); });
      if (Object.keys(figures).length) start();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-plotly]").forEach(draw);
    const first = document.querySelector("#candidates.review .pair");
    if (first) { current = 0; first.classList.add("current"); }
  });
})();
