// Gates, memory and output of one cell, for the sentence that the reader looks at.
import { ask, make } from "./dom.js";
import { LEVELS, bytes, heat, prepareColours, ramp } from "./heat.js";

const [NARROWEST, WIDEST, NAMES] = [14, 34, 140]; // pixels of a column, and of the names beside them
const END = "</s>";
const shown = (piece) => (piece === END ? "⏎" : piece.replace(/^▁(?=.)/, ""));

export const insideView = (model) => {
  const chooser = make("select");
  const strips = make("div", { className: "strips", data: { tabindex: "0", role: "group", "aria-label": "Gates and memory" } });
  const value = make("p", { className: "value", data: { role: "status" } });
  const help = make("p", { className: "meta" }, "Blue: open, or above zero; red: below zero; white: closed, or zero. "
    + "A column is a piece of the text, a line of pixels is a unit.");
  const box = make("details", { className: "inside" }, make("summary", {}, "Inside the network"),
    make("label", {}, "Layer ", chooser), help, strips, value);
  let [wanted, loaded, cells] = [null, null, []];
  let chosen = null;

  const draw = () => {
    const cell = cells.find((each) => each.name === chosen) ?? cells[0];
    strips.replaceChildren();
    if (!cell) return;
    const room = (strips.clientWidth - NAMES) / cell.pieces.length;
    strips.style.setProperty("--column", `${Math.max(NARROWEST, Math.min(WIDEST, room))}px`);
    strips.style.setProperty("--pieces", String(cell.pieces.length));
    const axis = make("div", { className: "axis" }, ...cell.pieces.map((piece) => make("span", { title: piece }, shown(piece))));
    strips.append(make("div", { className: "line" }, make("div", { className: "name" }, cell.cell), axis));
    cell.strips.forEach((strip) => strips.append(line(cell, strip, value)));
  };

  const load = async () => {
    if (!box.open || !wanted || JSON.stringify(wanted) === loaded) return;
    const asked = wanted;
    value.textContent = "Reading the sentence …";
    try {
      const found = await ask("page/inside", { model, ...asked });
      if (asked !== wanted) return;
      loaded = JSON.stringify(asked);
      value.textContent = found.refused ?? "";
      cells = found.cells ?? [];
      chosen = cells.some((each) => each.name === chosen) ? chosen : cells[0]?.name;
      chooser.replaceChildren(...cells.map((each) => make("option", { value: each.name, selected: each.name === chosen }, each.name)));
      chooser.disabled = cells.length === 0;
      draw();
    } catch (problem) {
      value.textContent = problem.message;
    }
  };

  chooser.addEventListener("change", () => { chosen = chooser.value; draw(); });
  box.addEventListener("toggle", load);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { prepareColours(); draw(); });
  prepareColours();
  return {
    box,
    show: (text, translation) => {
      wanted = text && translation ? { text, translation } : null;
      box.hidden = !wanted;
      load();
    },
  };
};

const line = (cell, strip, value) => {
  const levels = bytes(strip.shades);
  const columns = cell.pieces.length;
  const picture = make("canvas", { width: columns * WIDEST, height: 48,
    data: { role: "img", "aria-label": `${cell.name}, ${strip.name}: ${columns} pieces, ${strip.units} units` } });
  heat(picture, columns, strip.units, (column, unit) => levels[column * strip.units + unit], ramp[strip.kind]);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const share = (place, size) => Math.min(Math.max(place / size, 0), 0.9999);
    const [column, unit] = [Math.floor(share(event.clientX - box.left, box.width) * columns),
      Math.floor(share(event.clientY - box.top, box.height) * strip.units)];
    const level = levels[column * strip.units + unit] / (LEVELS - 1);
    const number = strip.kind === "gate" ? level : (level * 2 - 1) * strip.bound;
    value.textContent = `${strip.name}, unit ${unit}, at “${shown(cell.pieces[column])}”: ${number.toFixed(3)}`;
  });
  const note = [strip.function, strip.role].filter(Boolean).join(", ");
  return make("div", { className: "line" },
    make("div", { className: "name" }, strip.name, ...(note ? [make("small", {}, note)] : [])), picture);
};
