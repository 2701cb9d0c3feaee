// Whether Bootstrap's styles came: without them the page is marked, and alerce.css styles the frame. Runs in the head, after the style sheets
// that stand before it. The menu opens without Bootstrap's script, too.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.toggle("no-bootstrap", !getComputedStyle(root).getPropertyValue("--bs-body-color"));

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".navbar [data-bs-toggle]");
    if (!button || window.bootstrap) return;
    const menu = button.dataset.bsToggle === "collapse" ? document.querySelector(button.dataset.bsTarget) : button.nextElementSibling;
    if (menu) button.setAttribute("aria-expanded", String(menu.classList.toggle("show")));
  });

  // The toolkit's logo stands beside the name that it shows.
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".navbar-brand img:not([alt])").forEach((logo) => { logo.alt = ""; }));
})();
