// The board at work: keys, lines that open, large stamps, refreshing in place, the clock. The page tells the same without it.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("#rows tr.row")];
  const board = () => document.getElementById("rows");
  const token = () => document.querySelector("#bulk [name=csrfmiddlewaretoken]")?.value;
  const line = document.querySelector(".fresh-line");
  let current = null; // key of the sky object in the current line

  const say = (text) => { if (line) line.textContent = text; };
  const named = (key) => rows().find((row) => row.dataset.sky === key);
  const chosen = () => named(current);

  function go(step) {
    const every = rows(), at = every.findIndex((row) => row.dataset.sky === current);
    const next = every[at < 0 ? (step > 0 ? 0 : every.length - 1) : Math.min(Math.max(at + step, 0), every.length - 1)];
    if (!next) return;
    select(next);
    next.scrollIntoView({ block: "nearest" });
  }

  function select(row) {
    rows().forEach((one) => one.classList.toggle("current", one === row));
    current = row.dataset.sky;
    row.querySelector("[data-open]").focus({ preventScroll: true });
  }

  async function post(address, values) {
    const body = new URLSearchParams(values);
    body.set("csrfmiddlewaretoken", token());
    const answer = await fetch(address, { method: "POST", body, headers: { "X-Alerce-Quiet": "yes", "X-CSRFToken": token() } });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return void location.assign(answer.url);
    const said = (answer.headers.get("Content-Type") || "").includes("json") ? (await answer.json()).messages : [answer.ok ? "" : "Not done."];
    if (said.join("")) say(said.join(" "));
    return answer.ok;
  }

  // A line opens: what lies behind it comes once.
  async function open(row, wanted) {
    const button = row.querySelector("[data-open]"), is = button.getAttribute("aria-expanded") === "true";
    if (wanted === is) return;
    button.setAttribute("aria-expanded", String(!is));
    if (is) return void row.nextElementSibling.remove();
    const more = document.createElement("tr");
    more.className = "more";
    more.innerHTML = '<td colspan="7"><p class="quiet">Loading…</p></td>';
    row.after(more);
    const answer = await fetch(`${location.pathname}ranks/${row.dataset.row}/`, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
    more.firstChild.innerHTML = answer.ok ? await answer.text() : '<p class="quiet">It is not there any more: refresh.</p>';
    if (token()) await seen(row);
  }

  async function seen(row) {
    if (row.classList.contains("state-seen")) return;
    const done = await post(document.getElementById("bulk").action, { do: "seen", pk: row.dataset.sky });
    if (!done || !/state-(new|changed)/.test(row.className)) return;
    row.classList.remove("state-new", "state-changed");
    const tag = row.querySelector(".flags .tag");
    tag.className = "tag state-seen";
    tag.textContent = "seen by you";
  }

  const WORDS = { pin: "Pin", claim: "Claim", snooze: "Snooze", veto: "Veto", note: "Note" };
  async function mark(kind) {
    const row = chosen();
    if (!row || !token()) return;
    let text = "";
    if (kind === "veto" || kind === "note") {
      text = await ask(`${WORDS[kind]} ${row.dataset.name}`);
      if (!text) return;
    }
    if (await post(`${location.pathname}objects/${row.dataset.sky}/mark/`, { kind, text })) await refresh(true);
  }

  function ask(title) {
    const dialog = document.getElementById("why");
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("input").value = "";
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "do" ? dialog.querySelector("input").value : ""), { once: true }));
  }

  function enlarge(links) {
    const dialog = document.getElementById("enlarged");
    dialog.querySelector(".enlarged").replaceChildren(...links.map((link) => {
      const figure = document.createElement("figure"), caption = document.createElement("figcaption"), frame = document.createElement("span");
      const image = Object.assign(new Image(), { src: link.href, alt: link.querySelector("img").alt });
      frame.className = "frame";
      figure.className = "stamps";
      caption.textContent = `${link.title}: science, template, difference`;
      frame.append(image);
      figure.append(frame, caption);
      return figure;
    }));
    dialog.showModal();
  }

  // Refreshing keeps the current line, the open lines, what is selected, and the place on the screen.
  async function refresh(now) {
    const old = board();
    if (!old || document.querySelector("dialog[open]")) return;
    const address = new URL(location.href);
    address.searchParams.set("part", "rows");
    if (!now) address.searchParams.set("since", old.dataset.stamp);
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.status === 204 || !answer.ok) return;
    const before = new Set(rows().map((row) => row.dataset.sky)), first = before.size;
    const opened = rows().filter((row) => row.querySelector("[data-open]").getAttribute("aria-expanded") === "true").map((row) => [row.dataset.sky, row.nextElementSibling]);
    const ticked = [...document.querySelectorAll("#rows [name=pk]:checked")].map((box) => box.value);
    const place = chosen()?.getBoundingClientRect().top;
    old.outerHTML = await answer.text();
    opened.forEach(([key, more]) => { const row = named(key); if (row) { row.after(more); row.querySelector("[data-open]").setAttribute("aria-expanded", "true"); } });
    ticked.forEach((value) => { const box = document.querySelector(`#rows [name=pk][value="${value}"]`); if (box) box.checked = true; });
    const fresh = rows().filter((row) => !before.has(row.dataset.sky));
    if (first) fresh.forEach((row) => row.classList.add("fresh"));
    if (chosen()) { select(chosen()); if (place !== undefined) scrollBy(0, chosen().getBoundingClientRect().top - place); }
    if (fresh.length && first && !now) { say(`${fresh.length} new on this page`); sound(); }
    const count = document.querySelector(".alerce-filter .count");
    if (count) count.textContent = `${board().dataset.count} objects`;
  }

  // Two short tones, if the person wants to hear them.
  function sound() {
    if (!document.querySelector("[data-sound]")?.checked || !window.AudioContext) return;
    const context = new AudioContext();
    [660, 880].forEach((frequency, i) => {
      const tone = context.createOscillator(), gain = context.createGain();
      tone.frequency.value = frequency;
      gain.gain.value = 0.08;
      tone.connect(gain).connect(context.destination);
      tone.start(context.currentTime + 0.18 * i);
      tone.stop(context.currentTime + 0.18 * i + 0.14);
    });
  }

  // The clock: Greenwich's mean sidereal time of Meeus 1998, chapter 12, right to a second.
  function tick() {
    const data = document.getElementById("clock");
    if (!data) return;
    const site = JSON.parse(data.textContent), now = Date.now(), mjd = now / 86400000 + 40587;
    const sidereal = (280.46061837 + 360.98564736629 * (mjd - 51544.5) + site.longitude + 3.6e8) % 360;
    const write = (name, text) => { const part = document.querySelector(`[data-clock] [data-${name}]`); part.textContent = text; part.parentElement.hidden = false; };
    const time = (milliseconds) => new Date(milliseconds).toISOString().slice(11, 19);
    write("utc", time(now));
    write("local", time(now + site.offset * 60000).slice(0, 5));
    write("sidereal", time(sidereal / 360 * 86400000).slice(0, 5));
  }

  const KEYS = {
    j: () => go(1), k: () => go(-1), r: () => refresh(true), "?": () => document.getElementById("keys").showModal(),
    o: () => chosen() && open(chosen()), i: () => chosen() && enlarge([...chosen().querySelectorAll("[data-enlarge]")]),
    x: () => chosen()?.querySelector("[name=pk]")?.click(),
    p: () => mark("pin"), c: () => mark("claim"), s: () => mark("snooze"), v: () => mark("veto"), n: () => mark("note"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !board() || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    if (event.key === "Enter" && event.target.closest("[data-open]") && chosen()) {
      event.preventDefault();
      return void chosen().querySelector("a.name").click();
    }
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#rows [data-open]"), link = event.target.closest("#rows [data-enlarge]");
    if (button) { const row = button.closest("tr"); select(row); open(row); }
    else if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); enlarge([...link.closest("tr").querySelectorAll("[data-enlarge]")]); }
    else if (event.target.closest("[data-refresh]")) refresh(true);
    else if (event.target.closest("[data-keys]")) document.getElementById("keys").showModal();
    else if (event.target.matches("dialog[open]")) event.target.close();
  });

  // Marks in an open line are put, and undone, without leaving it.
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("#rows .more .mark-form, #rows .more .marks form");
    if (!form) return;
    event.preventDefault();
    const key = form.closest("tr.more").previousElementSibling.dataset.sky;
    if (!(await post(form.action, Object.fromEntries(new FormData(form, event.submitter))))) return;
    await refresh(true);
    const row = named(key);
    if (row) { await open(row, false); await open(row, true); }
  });

  // Folded parts come when they are opened.
  document.querySelectorAll("details[data-lazy]").forEach((part) => part.addEventListener("toggle", async () => {
    const inside = part.querySelector(".drop");
    if (!part.open || part.dataset.read) return;
    const answer = await fetch(part.dataset.lazy, { headers: { "HX-Request": "true" } });
    if (answer.ok) { inside.innerHTML = await answer.text(); part.dataset.read = "yes"; }
  }));

  document.querySelectorAll(".scripted").forEach((part) => { part.hidden = false; });
  const wish = document.querySelector("[data-sound]");
  if (wish) {
    wish.checked = localStorage.getItem("alerce-sound") === "yes";
    wish.addEventListener("change", () => localStorage.setItem("alerce-sound", wish.checked ? "yes" : ""));
  }
  tick();
  setInterval(tick, 1000);
  setInterval(() => { if (document.visibilityState === "visible") refresh(false); }, 60000);
})();
