// Gates, memory and output of one cell along the sentence.

// The largest value of a kind at the same place in all models: their axes end there.
const mostOf = (key, values) => Math.max(...traces.flatMap((trace) => trace.layers
  .filter((layer) => layer.key === key).flatMap(values)).filter((value) => value !== null), 1e-12);

const cellView = (trace, layer) => {
  const pieces = layer.side === "encoder" ? trace.source.pieces : ["<s>", ...trace.target.pieces.slice(0, -1)];
  const side = layer.side === "encoder" ? "source" : "target";
  const units = make("p", { className: "units", data: { role: "status" } },
    "Click one piece above, then another: the units that switch on between them are named here.");
  const sentences = make("div");
  const span = spanOf(trace, layer, pieces, units, sentences);
  const box = table(side, pieces, { choose: span.choose });
  const strips = layer.strips.map((strip) => stripRow(layer, strip, pieces, span));
  // Cells have different numbers of gates; from here on, models side by side have the same rows in one line.
  strips[layer.gates].classList.add("after-gates");
  box.append(...strips);
  const sizes = (each) => [each.norms.memory, each.norms.kept, each.norms.written].flatMap((values) => values ?? []);
  for (const [name, note] of [["memory", "size"], ["change", "of the memory"], ["kept", "part of the memory"], ["written", "part of the memory"]]) {
    if (!layer.norms[name]) continue;
    const most = mostOf(layer.key, name === "change" ? (each) => each.norms.change : sizes);
    box.append(bars(name, note, pieces, () => layer.norms[name], { most }));
  }
  const reach = layer.horizon === pieces.length - 1 ? `all ${layer.horizon}` : layer.horizon;
  box.append(bars("influence", `on the last output; horizon ${reach}`, pieces, () => layer.influence,
    { most: mostOf(layer.key, (each) => each.influence), written: percent }));
  const parts = [make("h4", {}, `${layer.name}: ${layer.cell}`), box, units, sentences];
  if (layer.halfLives || layer.measuredHalfLives) parts.push(halfLives(layer));
  return make("div", { className: "block" }, ...parts);
};

// A span of pieces that the reader chooses, the units that differ there from elsewhere, and other sentences with these.
const spanOf = (trace, layer, pieces, message, sentences) => {
  const span = { marked: [], paint: [] };
  const index = textIndex(trace, layer);
  const memory = layer.strips.find((each) => each.name.startsWith("memory"));
  const levels = bytes(memory.shades);
  const value = (unit, at) => ((levels[at * memory.units + unit] / (LEVELS - 1)) * 2 - 1) * memory.bound;
  // Without a text a unit is compared with zero, with one, with what it usually is.
  const strength = (unit, at) => (index ? standardised(index, unit, value(unit, at)) : Math.abs(value(unit, at)));
  let ends = null;
  span.choose = (at, labels) => {
    ends = ends && ends.length === 1 ? [ends[0], at].sort((a, b) => a - b) : [at];
    const [from, to] = [ends[0], ends[1] ?? ends[0]];
    labels.forEach((label, number) => label.setAttribute("aria-pressed", String(number >= from && number <= to)));
    if (from === 0 && to === pieces.length - 1) {
      message.textContent = "That is the whole sentence: choose a part of it.";
      sentences.replaceChildren();
      return;
    }
    const inside = (number) => number >= from && number <= to;
    const mean = (unit, test) => {
      const places = pieces.map((_, number) => number).filter(test);
      return places.reduce((sum, number) => sum + strength(unit, number), 0) / places.length;
    };
    const size = ([, difference]) => (index ? Math.abs(difference) : difference);
    const units = Array.from({ length: memory.units }, (_, unit) => [unit, mean(unit, inside) - mean(unit, (number) => !inside(number))])
      .sort((one, other) => size(other) - size(one)).slice(0, 8);
    span.marked = units.map(([unit]) => unit);
    const place = from === to ? `at “${shown(pieces[from])}”` : `from “${shown(pieces[from])}” to “${shown(pieces[to])}”`;
    message.textContent = index
      ? `Units whose memory differs most ${place} from elsewhere in the sentence: ${units.map(([unit, difference]) => `${unit} (${difference < 0 ? "lower" : "higher"})`).join(", ")}. Sentences of the text in which most of these are at their highest or lowest:`
      : `Units whose memory is larger ${place} than elsewhere: ${span.marked.join(", ")}.`;
    if (index) sentences.replaceChildren(sentenceList(index, units));
    span.paint.forEach((paint) => paint());
  };
  return span;
};

const stripRow = (layer, strip, pieces, span) => {
  const levels = bytes(strip.shades);
  const picture = overPieces(pieces.length, STRIP, `${layer.name}, ${strip.name}: ${pieces.length} pieces, ${strip.units} units`);
  const share = (level) => level / (LEVELS - 1);
  const value = (level) => (strip.kind === "gate" ? share(level) : (share(level) * 2 - 1) * strip.bound);
  hover(picture, (x, y) => {
    const [at, unit] = [Math.floor(x * pieces.length), Math.floor(y * strip.units)];
    const level = levels[at * strip.units + unit];
    const beyond = strip.clipped && strip.kind === "signed" && (level === 0 || level === LEVELS - 1) ? " or beyond" : "";
    return `${strip.name}, unit ${unit}, at ${shown(pieces[at])}: ${value(level).toFixed(3)}${beyond}`;
  });
  const paint = painted(() => {
    heat(picture, pieces.length, strip.units, (column, unit) => levels[column * strip.units + unit], ramp[strip.kind]);
    const context = picture.getContext("2d");
    context.fillStyle = css("--ink");
    for (const unit of span.marked) context.fillRect(0, (unit / strip.units) * STRIP, 6, Math.max(1, STRIP / strip.units));
  });
  span.paint.push(paint);
  const shareOf = (test) => percent(levels.reduce((count, level) => count + test(value(level)), 0) / levels.length);
  const note = strip.kind === "gate"
    ? `open ${shareOf((each) => each > 0.9)}, closed ${shareOf((each) => each < 0.1)}`
    : `full colour: ±${strip.bound}${strip.clipped ? " or beyond" : ""}`;
  const notes = [[strip.function, strip.role].filter(Boolean).join(", "), note];
  if (strip.openThroughout) notes.push(unitsOpen(strip.openThroughout));
  return row(strip.name, notes, picture, histogram(levels, strip));
};

const unitsOpen = (units) => {
  const named = units.slice(0, 5).join(", ") + (units.length > 5 ? ", ..." : "");
  return units.length ? `open at every piece: ${units.length} of its units (${named})` : "no unit is open at every piece";
};

const histogram = (levels, strip) => {
  const bins = Array(16).fill(0);
  levels.forEach((level) => { bins[level >> 4] += 1; });
  const picture = canvas(64, 36, `distribution of ${strip.name}: ${bins.map((count) => percent(count / levels.length)).join(", ")}`);
  painted(() => {
    const context = picture.getContext("2d");
    const most = Math.max(...bins);
    context.clearRect(0, 0, 64, 36);
    context.fillStyle = css("--soft");
    bins.forEach((count, at) => { const height = (34 * count) / most; context.fillRect(at * 4, 36 - height, 3, height); });
  });
  return picture;
};

// How many units lose half of their memory how fast: by their gates, and as measured.
const halfLives = (layer) => {
  const [gates, measured] = [layer.halfLives, layer.measuredHalfLives];
  const edges = [0, 0.5, 1, 2, 4, 8, 16, 32, Infinity];
  const rows = edges.slice(1).map((edge, at) => {
    const count = (lives) => lives.filter((life) => life !== null && life >= edges[at] && (life < edge || edge === Infinity)).length;
    return [at, gates && count(gates), measured && count(measured.lives)];
  }).filter(([, one, other]) => one || other);
  const name = (at) => (at === 0 ? `under ${edges[1]}` : edges[at + 1] === Infinity ? `${edges[at]} or more` : `${edges[at]} to ${edges[at + 1]}`);
  const cell = (count, whole) => make("td", { className: "number" }, whole ? `${percent(count / whole.length)}` : "");
  const head = make("tr", {}, make("th", {}, "half is gone after (pieces)"),
    ...(gates ? [make("th", { className: "number" }, "by its gates")] : []),
    ...(measured ? [make("th", { className: "number" }, "measured")] : []));
  const body = rows.map(([at, one, other]) => make("tr", {}, make("th", {}, name(at)),
    ...(gates ? [cell(one, gates)] : []), ...(measured ? [cell(other, measured.lives)] : [])));
  const lasting = measured ? measured.lives.filter((life) => life === null).length : 0;
  if (lasting) {
    body.push(make("tr", {}, make("th", {}, `not within ${measured.room}`), ...(gates ? [make("td")] : []), cell(lasting, measured.lives)));
  }
  const longest = (gates ?? []).map((life, unit) => [life, unit]).sort((one, other) => other[0] - one[0]).slice(0, 5)
    .map(([life, unit]) => `unit ${unit} (${life >= 1000 ? "loses nothing" : life.toFixed(1)})`).join(", ");
  return make("details", { className: "half-lives" }, make("summary", {}, "Half-life of the units' memory"),
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)),
    make("p", { className: "meta" }, [
      "Shares of units.",
      longest && `Longest by the gates: ${longest}.`,
      measured && `Measured: ${measured.lives.length} of ${layer.units} units were changed a little after the first quarter of the sentence, and followed for ${measured.room} pieces.`,
    ].filter(Boolean).join(" ")));
};
