// What all views share: elements, colours, rows of pictures over one axis of pieces. See page.py for the data.
const { traces } = JSON.parse(document.getElementById("traces").textContent);
const hint = document.getElementById("hint");
const STRIP = 56;
const NATURAL = 24; // pixels of a column inside a canvas; the page stretches or squeezes it
const [NARROWEST, WIDEST] = [9, 60];
const STACKED = 560; // below this width names stand above their pictures
const END = "</s>";

const make = (tag, properties = {}, ...children) => {
  const { data, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  for (const [key, value] of Object.entries(data ?? {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const shown = (piece) => (piece === END ? "⏎" : piece.replace(/^▁(?=.)/, ""));
const percent = (share) => (share > 0 && share < 0.005 ? "under 1\u00a0%" : `${Math.round(100 * share)}\u00a0%`);
// As a shell takes it literally.
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const say = (text) => { hint.textContent = text; hint.classList.toggle("shown", Boolean(text)); };

// Pictures that are painted again where the colours of the system change.
const painters = [];
const painted = (paint) => { painters.push(paint); return paint; };

const canvas = (width, height, label) =>
  make("canvas", { width, height, data: { role: "img", "aria-label": label } });

// A canvas as wide as the axis of its box.
const overPieces = (count, height, label) => {
  const node = canvas(count * NATURAL, height, label);
  node.className = "over-pieces";
  node.style.height = `${height}px`;
  return node;
};

const hover = (node, tell) => {
  node.addEventListener("pointermove", (event) => {
    const box = node.getBoundingClientRect();
    const share = (value, size) => Math.min(Math.max(value / size, 0), 0.9999);
    say(tell(share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)));
  });
  node.addEventListener("pointerleave", () => say(""));
};

// A picture with its name, and with what stands at its side; both stay in sight when the pieces are scrolled.
const row = (name, notes, picture, beside = "") =>
  make("div", { className: "row" },
    make("div", { className: "row-name" }, name, ...notes.filter(Boolean).map((note) => make("small", {}, note))),
    make("div", { className: "row-side" }, beside),
    picture);

// Columns as wide as there is room, at most as wide as the labels need; labels that do not fit are turned.
const fit = (box, pieces, sided) => {
  const longest = Math.max(...pieces.map((piece) => 15 * shown(piece).replace(/[\x20-\x7f]/g, "").length
    + 7 * shown(piece).replace(/[^\x20-\x7f]/g, "").length));
  const natural = Math.min(WIDEST, Math.max(NATURAL, longest + 6));
  const stacked = box.clientWidth < STACKED;
  const [names, side] = stacked ? [0, sided ? 56 : 0] : [box.clientWidth < 800 ? 104 : 152, 72];
  const room = box.clientWidth - names - side - 2;
  const column = Math.max(NARROWEST, Math.min(natural, room / pieces.length));
  box.classList.toggle("stacked", stacked);
  box.classList.toggle("turned", column < Math.min(natural, longest + 2));
  box.classList.toggle("scrolls", column * pieces.length > room + 1);
  box.style.setProperty("--names", `${names}px`);
  box.style.setProperty("--side", `${side}px`);
  box.style.setProperty("--column", `${column}px`);
  box.style.setProperty("--pieces", `${pieces.length}`);
};

// Rows over one axis of pieces. `choose` is called with the place of a piece that is clicked.
const table = (side, pieces, { choose = null, sided = false } = {}) => {
  const box = make("div", { className: "rows", data: { tabindex: "0", role: "group", "aria-label": `pieces of the ${side}` } });
  const labels = pieces.map((piece, at) => {
    if (!choose) return make("span", { title: piece }, shown(piece));
    const label = make("button", { type: "button", title: piece, data: { "aria-pressed": "false" } }, shown(piece));
    label.addEventListener("click", () => choose(at, labels));
    return label;
  });
  box.append(make("p", { className: "sideways" }, `${pieces.length} pieces: scroll sideways to see all of them →`));
  box.append(row(side, [], make("div", { className: "axis" }, ...labels)));
  new ResizeObserver(() => fit(box, pieces, sided)).observe(box);
  return box;
};

// Bars over pieces; `most` is the largest value of all models, so that heights compare.
const bars = (name, note, pieces, values, { most = null, written = (value) => value.toPrecision(3), list = painters } = {}) => {
  const picture = overPieces(pieces.length, STRIP, `${name}, ${note}`);
  hover(picture, (x) => {
    const at = Math.floor(x * pieces.length);
    return `${name}: ${shown(pieces[at])} ${written(values()[at])}`;
  });
  const paint = () => {
    const context = picture.getContext("2d");
    const numbers = values();
    const top = Math.max(most ?? Math.max(...numbers), 1e-12);
    context.clearRect(0, 0, picture.width, picture.height);
    context.fillStyle = css("--accent");
    numbers.forEach((value, at) => {
      const height = Math.max(1, (STRIP - 2) * (value / top));
      context.fillRect(at * NATURAL + 2, STRIP - height, NATURAL - 4, height);
    });
    context.fillStyle = css("--rule");
    context.fillRect(0, STRIP - 1, picture.width, 1);
  };
  list.push(paint);
  return row(name, [note, most === null ? "" : `full height: ${written(most)}`], picture);
};
