// The hypotheses of the search as a tree.
const beamView = (trace) => {
  const { search } = trace;
  const heading = make("h3", {}, "Search: the beam");
  const caption = make("p", { className: "caption" },
    `Beam of ${search.beam_size}. Blue: the translation; bold: finished translations; black: continued; grey: pruned. To see how another beginning would go on, choose a piece:`);
  const advice = make("pre", {}, `${trace.command} --prefix "..."`);
  const box = make("div", { className: "tree", data: { tabindex: "0", role: "group", "aria-label": "beam tree" } });
  let pruned = false;
  const toggle = make("button", { type: "button", data: { "aria-pressed": "false" } }, "show what was pruned");
  toggle.addEventListener("click", () => { pruned = !pruned; toggle.setAttribute("aria-pressed", String(pruned)); paint(); });
  const best = new Set();
  const winner = search.nodes.findIndex((node) => node.rank === 1);
  for (let at = winner; at > -1; at = search.nodes[at].parent) best.add(at);
  const textTo = (at) => {
    const pieces = [];
    for (let each = at; each > 0; each = search.nodes[each].parent) pieces.unshift(search.nodes[each].piece);
    return pieces.filter((piece) => piece !== END).join("").replaceAll("▁", " ").trim();
  };
  function paint() {
    const children = search.nodes.map(() => []);
    search.nodes.forEach((node, at) => { if (node.parent >= 0 && (pruned || node.fate !== "pruned")) children[node.parent].push(at); });
    const place = new Map();
    let line = 0;
    const walk = (at, depth) => {
      const mine = [...children[at]].sort((one, other) => (best.has(other) - best.has(one)) || (search.nodes[other].total - search.nodes[one].total));
      place.set(at, [depth, mine.length ? line : line++]);
      mine.forEach((child) => walk(child, depth + 1));
    };
    walk(0, 0);
    const step = 76;
    const depths = Math.max(...[...place.values()].map(([depth]) => depth));
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    svg.setAttribute("width", String((depths + 1) * step + 20));
    svg.setAttribute("height", String(line * 18 + 16));
    for (const [at, [depth, height]] of place) {
      const node = search.nodes[at];
      const group = document.createElementNS(ns, "g");
      group.setAttribute("class", best.has(at) ? "best" : node.fate);
      const [x, y] = [depth * step + 12, height * 18 + 16];
      if (node.parent >= 0) {
        const [before, line] = place.get(node.parent);
        const [px, py] = [before * step + 12 + 46, line * 18 + 12];
        const path = document.createElementNS(ns, "path");
        path.setAttribute("d", `M${px},${py} C${px + 14},${py} ${x - 16},${y - 4} ${x - 3},${y - 4}`);
        if (best.has(at)) path.setAttribute("class", "best");
        group.append(path);
      }
      const text = document.createElementNS(ns, "text");
      text.setAttribute("x", String(x));
      text.setAttribute("y", String(y));
      text.textContent = node.parent < 0 ? "start" : shown(node.piece).slice(0, 7);
      const title = document.createElementNS(ns, "title");
      title.textContent = node.parent < 0 ? "" : `${textTo(at)} (${percent(Math.exp(node.log_probability))} after what is before it; log-probability ${node.total.toFixed(2)} in all)`;
      group.append(text, title);
      const beginning = textTo(at);
      if (beginning) {
        const choose = () => { advice.textContent = `${trace.command} --prefix ${quoted(beginning)}`; };
        group.setAttribute("tabindex", "0");
        group.setAttribute("role", "button");
        group.addEventListener("click", choose);
        group.addEventListener("keydown", (event) => { if (["Enter", " "].includes(event.key)) { event.preventDefault(); choose(); } });
      }
      svg.append(group);
    }
    box.replaceChildren(svg);
  }
  paint();
  return make("div", { className: "block" }, heading, caption, advice, make("div", { className: "choice" }, toggle), box);
};
