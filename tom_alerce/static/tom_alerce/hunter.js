// The hunter by keys; the buttons do the same.
(() => {
  "use strict";
  const pictures = document.querySelector(".pictures");
  let blinking = 0;
  const turn = (button, on) => { button.setAttribute("aria-pressed", String(on)); return on; };
  const isOn = (button) => button.getAttribute("aria-pressed") === "true";

  // The template shows in the place of the science stamp, and back again.
  function blink(on) {
    clearInterval(blinking);
    pictures.classList.remove("other");
    if (on) blinking = setInterval(() => pictures.classList.toggle("other"), 600);
  }

  const ACTS = {
    b: (button) => blink(turn(button, !isOn(button))),
    z: (button) => pictures.classList.toggle("zoomed", turn(button, !isOn(button))),
    x: (button) => pictures.classList.toggle("plain", !turn(button, !isOn(button))),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".pictures [data-key]");
    if (button) ACTS[button.dataset.key](button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input, select, textarea, [contenteditable]")) return;
    const key = event.key.toLowerCase();
    document.querySelector(`[data-key="${CSS.escape(key === "j" ? "l" : key)}"]`)?.click();
  });
  document.querySelectorAll(".scripted").forEach((part) => { part.hidden = false; });
})();
