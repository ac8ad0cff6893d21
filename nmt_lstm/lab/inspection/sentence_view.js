// The translation piece by piece, the attention, and what the chosen piece depends on.
const sentenceView = (trace) => {
  // What is painted again when a different piece is chosen.
  const choosing = [];
  // The first piece with letters: a mere word boundary tells little.
  let chosen = Math.max(0, trace.target.pieces.findIndex((piece) => /\p{L}/u.test(piece)));
  let rival = false;
  const [sources, targets] = [trace.source.pieces, trace.target.pieces];
  const redraw = () => choosing.forEach((each) => each());
  const probability = (at) => Math.exp(trace.target.log_probabilities[at]);

  const buttons = targets.map((piece, at) => {
    const button = make("button", {
      type: "button", className: probability(at) > 0.5 ? "sure" : "unsure", title: `probability ${percent(probability(at))}`,
    }, shown(piece));
    button.addEventListener("click", () => { chosen = at; redraw(); });
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      chosen = (at + step + targets.length) % targets.length;
      buttons[chosen].focus();
      redraw();
    });
    return button;
  });
  const about = make("p", { className: "meta" });
  choosing.push(() => {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === chosen)));
    const others = trace.target.alternatives[chosen]
      .filter((each, rank) => rank < 2 || Math.exp(each.log_probability) > 0.005)
      .map((each) => `${shown(each.piece)} ${percent(Math.exp(each.log_probability))}`).join(", ");
    about.textContent = `${shown(targets[chosen])} has a probability of ${percent(probability(chosen))}. The most probable pieces here were ${others}.`;
  });
  const translation = make("div", { className: "block" }, make("h3", {}, "Translation"),
    make("p", { className: "caption" }, "Choose a piece: attention and “depends on” are about it. Blue below a piece: more likely than all others together."),
    make("div", { className: "pieces" }, ...buttons), about);

  const switches = ["why this piece", "why this one rather than its rival"].map((label, at) => {
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", () => { rival = at === 1; redraw(); });
    choosing.push(() => {
      button.setAttribute("aria-pressed", String(rival === (at === 1)));
      if (at === 1) button.textContent = `why this one rather than “${shown(trace.connectivity.rivals[chosen])}”`;
    });
    return button;
  });
  const grid = overPieces(sources.length, Math.min(18, 560 / targets.length) * targets.length,
    "attention: a row for each target piece, a column for each source piece");
  const rowNames = make("div", { className: "row-names", data: { "aria-hidden": "true" } },
    ...targets.map((piece) => make("span", {}, shown(piece))));
  rowNames.style.height = `${grid.height}px`;
  hover(grid, (x, y) => {
    const [at, from] = [Math.floor(y * targets.length), Math.floor(x * sources.length)];
    return `attention of ${shown(targets[at])} to ${shown(sources[from])}: ${percent(trace.attention.weights[at][from])}`;
  });
  grid.addEventListener("click", (event) => {
    const box = grid.getBoundingClientRect();
    chosen = Math.floor(((event.clientY - box.top) / box.height) * targets.length);
    redraw();
  });
  choosing.push(() => {
    heat(grid, sources.length, targets.length,
      (column, line) => Math.round((LEVELS - 1) * trace.attention.weights[line][column]), ramp.gate);
    const context = grid.getContext("2d");
    const height = grid.height / targets.length;
    context.strokeStyle = css("--ink");
    context.strokeRect(0.5, chosen * height + 0.5, grid.width - 1, height - 1);
  });
  const above = table("source", sources, { sided: true });
  const depends = (side) => () => trace.connectivity[rival ? `contrast_${side}` : side][chosen];
  above.append(
    row("attention", ["a row for each target piece; point at it for numbers"], grid, rowNames),
    bars("attention", "of the chosen piece", sources, () => trace.attention.weights[chosen], { most: 1, written: percent, list: choosing }),
    bars("depends on", "source pieces", sources, depends("source"), { list: choosing }));
  const read = ["<s>", ...targets.slice(0, -1)];
  const below = table("target", read);
  below.append(bars("depends on", "target pieces before", read, depends("target"), { list: choosing }));

  // Many models rest their attention on the end of the sentence, which looks like a fault and is none.
  const toEnd = trace.attention.weights.reduce((sum, weights) => sum + weights.at(-1), 0) / targets.length;
  const resting = make("p", { className: "caption" },
    `${percent(toEnd)} of all attention goes to ⏎, the end of the sentence, where the encoder has read everything. A model `
    + "looks there when the next piece follows from the whole sentence, or from the pieces already written, rather than from one source piece.");
  const attention = make("div", { className: "block" },
    make("h3", {}, "Attention, and what the chosen piece depends on"), ...(toEnd >= 0.05 ? [resting] : []),
    make("div", { className: "choice" }, ...switches), above, below);
  painters.push(redraw);
  return { translation, attention };
};
