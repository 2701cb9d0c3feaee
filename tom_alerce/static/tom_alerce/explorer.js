// Builds a filter out of blocks. The text area holds the same filter as JSON, and is what is sent: without a script it is all there is.
(() => {
  "use strict";

  const GROUPS = { and: "all of", or: "any of", none: "none of", "not all": "not all of" };
  const VALUELESS = ["missing", "known"];
  let fields = {}, number = 0;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const label = (text, control) => make("label", {}, make("span", { className: "visually-hidden", textContent: text }), control);
  const select = (values, chosen) => {
    const control = make("select");
    for (const [value, text] of values) control.append(make("option", { value, textContent: text, selected: value === chosen }));
    return control;
  };
  const button = (text, name, act) => {
    const control = make("button", { type: "button", textContent: text });
    control.setAttribute("aria-label", name);
    control.addEventListener("click", act);
    return control;
  };

  // JSON of a group or condition -> what the blocks show: "none of" is the negation of "any of", and "not all of" that of "all of".
  function shape(tree) {
    if ("field" in tree) return tree;
    if ("not" in tree) {
      const inner = tree.not;
      if ("and" in inner) return { group: "not all", items: inner.and };
      return { group: "none", items: "or" in inner ? inner.or : [inner] };
    }
    const key = "or" in tree ? "or" : "and";
    return { group: key, items: tree[key] || [] };
  }
  function unshape(group, items) {
    if (group === "none") return { not: { or: items } };
    if (group === "not all") return { not: { and: items } };
    return { [group]: items };
  }

  function fieldList(chosen) {
    const control = make("select", { className: "field" });
    for (const family of new Set(Object.values(fields).map((one) => one.family))) {
      const own = make("optgroup", { label: family });
      for (const one of Object.values(fields).filter((each) => each.family === family)) {
        own.append(make("option", { value: one.name, textContent: one.title, selected: one.name === chosen }));
      }
      control.append(own);
    }
    return control;
  }

  function argument(key, about, value) {
    if (!about.open) return label(key, Object.assign(select(about.choices.map((each) => [each, each]), value || about.default), { name: "", title: about.help }));
    const control = make("input", { value: value || about.default, placeholder: key, title: about.help, maxLength: 64, size: 12, required: true });
    if (about.choices.length) {
      const list = make("datalist", { id: `choices-${(number += 1)}` });
      about.choices.forEach((each) => list.append(make("option", { value: each })));
      control.setAttribute("list", list.id);
      return make("span", {}, label(key, control), list);
    }
    return label(key, control);
  }

  // The controls of the value of a condition, and a function that reads them.
  function valueOf(one, operator, value) {
    if (VALUELESS.includes(operator)) return [[], () => undefined];
    if (one.kind === "words" && one.choices.length) {
      const boxes = one.choices.map((word) => make("input", { type: "checkbox", value: word, checked: (value || []).includes(word) }));
      const shown = boxes.map((box) => make("label", { className: "check" }, box, ` ${box.value}`));
      return [shown, () => boxes.filter((box) => box.checked).map((box) => box.value)];
    }
    if (one.kind === "words") {
      const control = make("input", { value: (value || []).join(", "), placeholder: "ztf, lsst", size: 14, required: true });
      return [[label("words, with commas between", control)], () => control.value.split(",").map((word) => word.trim()).filter(Boolean)];
    }
    const names = one.kind === "place" ? ["RA °", "Dec °", "radius °"] : operator === "between" ? ["from", "to"] : ["value"];
    const given = Array.isArray(value) ? value : [value];
    const controls = names.map((name, i) => make("input", { type: "number", step: "any", placeholder: name, value: given[i] ?? "", required: true }));
    const numbers = () => controls.map((control) => (control.value === "" ? null : Number(control.value)));
    return [controls.map((control, i) => label(names[i], control)), () => (names.length === 1 ? numbers()[0] : numbers())];
  }

  function condition(given, changed, gone) {
    const row = make("div", { className: "condition" });
    let read = () => given;
    row.read = () => read();
    const fill = (state) => {
      const one = fields[state.field] || Object.values(fields)[0];
      const operator = one.operators.includes(state.op) ? state.op : one.operators[0];
      const list = fieldList(one.name);
      const operators = select(one.operators.map((each) => [each, each]), operator);
      const own = Object.entries(one.arguments).map(([key, about]) => [key, argument(key, about, state[key])]);
      const [controls, value] = valueOf(one, operator, state.value);
      read = () => {
        const found = { field: one.name };
        for (const [key, holder] of own) found[key] = holder.querySelector("select, input").value.trim();
        found.op = operators.value;
        const now = value();
        return now === undefined ? found : { ...found, value: now };
      };
      list.addEventListener("change", () => { fill({ field: list.value }); changed(); });
      operators.addEventListener("change", () => { fill({ ...read(), op: operators.value }); changed(); });
      row.replaceChildren(label("field", list), ...own.map(([, holder]) => holder), label("operator", operators), ...controls,
        make("span", { className: "quiet", textContent: VALUELESS.includes(operator) ? "" : one.unit }),
        button("×", `Remove the condition on ${one.title}`, () => gone(row)), make("small", { className: "quiet", textContent: one.help }));
    };
    fill(given);
    return row;
  }

  function group(tree, changed, gone) {
    const { group: kind, items } = shape(tree);
    const kinds = select(Object.entries(GROUPS), kind);
    const list = make("div", { className: "items" });
    const block = make("fieldset", { className: "group" });
    const remove = (element) => { element.remove(); changed(); };
    const add = (each) => list.append("field" in each ? condition(each, changed, remove) : group(each, changed, remove));
    items.forEach(add);
    block.read = () => unshape(kinds.value, [...list.children].map((child) => child.read()));
    const more = make("p", { className: "add" },
      button("+ condition", "Add a condition", () => { add({ field: "magnitude", op: "<", value: 20 }); changed(); list.lastElementChild.querySelector("select").focus(); }),
      button("+ group", "Add a group", () => { add({ or: [] }); changed(); }));
    if (gone) more.append(button("× group", "Remove the group", () => gone(block)));
    block.append(make("legend", { className: "visually-hidden", textContent: "Group of conditions" }), label("which of the conditions", kinds), list, more);
    return block;
  }

  function build(holder, text) {
    const write = () => { text.value = JSON.stringify(holder.firstElementChild.read()); };
    const draw = () => {
      let tree;
      try { tree = JSON.parse(text.value || "{}"); } catch { return; }
      if ("field" in tree) tree = { and: [tree] };
      try { holder.replaceChildren(group(tree, write)); } catch { return; }
      holder.hidden = false;
    };
    holder.addEventListener("input", write);
    text.addEventListener("change", draw);
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const holder = document.querySelector("[data-blocks]");
    if (!holder) return;
    fields = Object.fromEntries(JSON.parse(document.getElementById(holder.dataset.blocks).textContent).map((one) => [one.name, one]));
    build(holder, document.getElementById("filter"));
  });
})();
