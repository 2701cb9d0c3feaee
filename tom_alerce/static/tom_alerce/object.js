// The page of an object: other axes of the light curve, the neighbours by keys, and that the reader has seen it.
(() => {
  "use strict";
  const form = document.querySelector("[data-figures]"), holder = document.querySelector("[data-plotly]");
  const said = form?.querySelector("output");

  async function ask(find) {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    if (find) query.set("fold", "find");
    const answer = await fetch(`${form.dataset.figures}?${query}`);
    if (!answer.ok) return void (said.textContent = "No answer.");
    const found = await answer.json();
    said.textContent = found.period ? `period ${found.period.toPrecision(7)} d` : find ? "too few points for a period" : "";
    if (find && found.period) form.elements.fold.value = found.period.toPrecision(7);
    if (!Object.keys(found.figures).length) said.textContent = "nothing to draw";
    holder.dispatchEvent(new CustomEvent("figures", { detail: { figures: found.figures } }));
  }

  if (form && holder && window.Plotly) {
    form.hidden = false;
    form.addEventListener("change", (event) => {
      if (event.target.matches("[data-lines]")) holder.dispatchEvent(new CustomEvent("figures", { detail: { joined: event.target.checked } }));
      else ask(false);
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); ask(false); });
    form.querySelector("[data-find]").addEventListener("click", () => ask(true));
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable], .plotly-chart")) return;
    if (!document.querySelector(".pair")) document.querySelector(`.neighbours [data-key="${event.key.toLowerCase()}"]`)?.click();
  });

  // After everything has come, so that reading is never kept waiting by writing.
  const look = document.querySelector("[data-look]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (look && token) addEventListener("load", () => setTimeout(() => fetch(look.dataset.look, { method: "POST", headers: { "X-Alerce-Quiet": "yes", "X-CSRFToken": token } }).catch(() => {}), 1500));
})();
