// Pictures of traces. Shades come as bytes, position by position, unit by unit; see page.py.
{
  const { traces } = JSON.parse(document.getElementById("traces").textContent);
  const hint = document.getElementById("hint");
  const NAMES = "14rem";
  const STRIP = 56;
  const END = "</s>";

  const make = (tag, properties = {}, ...children) => {
    const { data, ...rest } = properties;
    const node = Object.assign(document.createElement(tag), rest);
    for (const [key, value] of Object.entries(data ?? {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const shown = (piece) => (piece === END ? "⏎" : piece.replace(/^▁(?=.)/, ""));
  const percent = (share) => (share > 0 && share < 0.005 ? "under 1 %" : `${Math.round(100 * share)} %`);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // As a shell takes it literally.
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const say = (text) => { hint.textContent = text; hint.classList.toggle("shown", Boolean(text)); };

  // Colours: paper to accent for shares, worse to paper to accent for values around zero.
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  let ramp = {};
  const mix = (one, other, share) => one.map((value, at) => Math.round(value + (other[at] - value) * share));
  const prepareColours = () => {
    const [paper, accent, worse] = ["--paper", "--accent", "--worse"].map((name) => rgb(css(name)));
    ramp = { gate: [], signed: [] };
    for (let level = 0; level < 256; level += 1) {
      const share = level / 255;
      ramp.gate.push(mix(paper, accent, share));
      const away = Math.sqrt(Math.abs(2 * share - 1));
      ramp.signed.push(mix(paper, share < 0.5 ? worse : accent, away));
    }
  };

  const canvas = (width, height, label) => {
    const node = make("canvas", { width, height, data: { role: "img", "aria-label": label } });
    return node;
  };

  // A picture of `columns` x `rows` bytes, stretched over a canvas.
  const heat = (node, columns, rows, level, colours) => {
    const small = document.createElement("canvas");
    [small.width, small.height] = [columns, rows];
    const context = small.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const at = 4 * (row * columns + column);
        image.data.set([...colours[level(column, row)], 255], at);
      }
    }
    context.putImageData(image, 0, 0);
    const big = node.getContext("2d");
    big.imageSmoothingEnabled = false;
    big.clearRect(0, 0, node.width, node.height);
    big.drawImage(small, 0, 0, node.width, node.height);
  };

  const hover = (node, tell) => {
    node.addEventListener("pointermove", (event) => {
      const box = node.getBoundingClientRect();
      const share = (value, size) => Math.min(Math.max(value / size, 0), 0.9999);
      say(tell(share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)));
    });
    node.addEventListener("pointerleave", () => say(""));
  };

  // What is left of the picture stays in sight when the pieces are scrolled.
  const row = (name, notes, picture, beside = "") =>
    make("div", { className: "row" },
      make("div", { className: "row-name" },
        make("div", {}, name, ...notes.filter(Boolean).map((note) => make("small", {}, note))), beside),
      picture);

  const columnWidth = (pieces) => {
    const longest = Math.max(...pieces.map((piece) => shown(piece).length));
    return Math.min(60, Math.max(24, 9 * longest + 6), Math.max(26, Math.floor(940 / pieces.length)));
  };

  const draw = (place, trace) => {
    const redraws = [];
    // The first piece with letters: a mere word boundary tells little.
    let chosen = Math.max(0, trace.target.pieces.findIndex((piece) => /\p{L}/u.test(piece)));
    let rival = false;
    const [sources, targets] = [trace.source.pieces, trace.target.pieces];
    const width = { source: columnWidth(sources), target: columnWidth(targets) };
    const redraw = () => redraws.forEach((each) => each());

    // Which target piece is looked at.
    const buttons = targets.map((piece, at) => {
      const probability = Math.exp(trace.target.log_probabilities[at]);
      const button = make("button", {
        type: "button", className: probability > 0.5 ? "sure" : "unsure",
        title: `probability ${percent(probability)}`,
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
    redraws.push(() => {
      buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === chosen)));
      const others = trace.target.alternatives[chosen]
        .filter((each, rank) => rank < 2 || Math.exp(each.log_probability) > 0.005)
        .map((each) => `${shown(each.piece)} ${percent(Math.exp(each.log_probability))}`).join(", ");
      const own = percent(Math.exp(trace.target.log_probabilities[chosen]));
      about.textContent = `${shown(targets[chosen])} has a probability of ${own}. The most probable pieces here were ${others}.`;
    });
    place.append(make("h3", {}, "Translation"),
      make("p", { className: "caption" }, "Choose a piece: everything below is about it. Blue below a piece: more likely than all others together."),
      make("div", { className: "pieces" }, ...buttons), about);

    // Rows over one axis of pieces.
    const table = (side, pieces, spans) => {
      const box = make("div", { className: "rows", data: { tabindex: "0", role: "group", "aria-label": `pieces of the ${side}` } });
      box.style.setProperty("--names", NAMES);
      box.style.setProperty("--column", `${width[side]}px`);
      const labels = pieces.map((piece, at) => {
        if (!spans) return make("span", { title: piece }, shown(piece));
        const label = make("button", { type: "button", title: piece, data: { "aria-pressed": "false" } }, shown(piece));
        label.addEventListener("click", () => spans(at, labels));
        return label;
      });
      box.append(row(side, [], make("div", { className: "axis" }, ...labels)));
      return box;
    };

    const bars = (side, name, note, pieces, values, scale = null) => {
      const picture = canvas(pieces.length * width[side], STRIP, `${name}, ${note}`);
      hover(picture, (x) => {
        const at = Math.floor(x * pieces.length);
        const value = values()[at];
        return `${name}: ${shown(pieces[at])} ${value === null ? "" : value.toPrecision(3)}`;
      });
      const paint = () => {
        const context = picture.getContext("2d");
        const numbers = values();
        const most = Math.max(...(scale ?? numbers), 1e-12);
        context.clearRect(0, 0, picture.width, picture.height);
        context.fillStyle = css("--accent");
        numbers.forEach((value, at) => {
          const height = Math.max(1, (STRIP - 2) * (value / most));
          context.fillRect(at * width[side] + 2, STRIP - height, width[side] - 4, height);
        });
        context.fillStyle = css("--rule");
        context.fillRect(0, STRIP - 1, picture.width, 1);
      };
      redraws.push(paint);
      return row(name, [note], picture);
    };

    // Attention, and what the chosen piece depends on.
    place.append(make("h3", {}, "Attention, and what the chosen piece depends on"));
    const switches = ["why this piece", "why this one rather than its rival"].map((label, at) => {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", () => { rival = at === 1; redraw(); });
      redraws.push(() => {
        button.setAttribute("aria-pressed", String(rival === (at === 1)));
        if (at === 1) button.textContent = `why this one rather than “${shown(trace.connectivity.rivals[chosen])}”`;
      });
      return button;
    });
    place.append(make("div", { className: "choice" }, ...switches));
    const above = table("source", sources);
    const grid = canvas(sources.length * width.source, Math.min(18, 560 / targets.length) * targets.length,
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
    redraws.push(() => {
      heat(grid, sources.length, targets.length,
        (column, line) => Math.round(255 * trace.attention.weights[line][column]), ramp.gate);
      const context = grid.getContext("2d");
      const height = grid.height / targets.length;
      context.strokeStyle = css("--ink");
      context.strokeRect(0.5, chosen * height + 0.5, grid.width - 1, height - 1);
    });
    above.append(
      row("attention", ["a row for each target piece; point at it for numbers"], grid, rowNames),
      bars("source", "attention", "of the chosen piece", sources, () => trace.attention.weights[chosen]),
      bars("source", "depends on", "source pieces", sources,
        () => trace.connectivity[rival ? "contrast_source" : "source"][chosen]));
    const read = ["<s>", ...targets.slice(0, -1)];
    const below = table("target", read);
    below.append(bars("target", "depends on", "target pieces before", read,
      () => trace.connectivity[rival ? "contrast_target" : "target"][chosen]));
    place.append(above, below);

    // Gates, memory and output of each cell.
    for (const side of ["encoder", "decoder"]) {
      place.append(make("h3", {}, side === "encoder" ? "Encoder: reading the source" : "Decoder: writing the target"));
      for (const layer of trace.layers.filter((each) => each.side === side)) {
        place.append(...layerBlock(layer, side === "encoder" ? "source" : "target", side === "encoder" ? sources : read));
      }
    }

    function layerBlock(layer, side, pieces) {
      const heading = make("h4", {}, `${layer.name}: ${layer.cell}`);
      const units = make("p", { className: "units", data: { role: "status" } },
        "Click one piece, then another: the units that switch on between them are named here.");
      let span = null;
      let marked = [];
      const box = table(side, pieces, (at, labels) => {
        span = span && span.length === 1 ? [span[0], at].sort((a, b) => a - b) : [at];
        const [from, to] = [span[0], span[1] ?? span[0]];
        labels.forEach((label, number) => label.setAttribute("aria-pressed", String(number >= from && number <= to)));
        const memory = layer.strips.find((each) => each.name.startsWith("memory"));
        const levels = bytes(memory.shades);
        const mean = (unit, inside) => {
          let [sum, count] = [0, 0];
          pieces.forEach((_, number) => {
            if ((number >= from && number <= to) !== inside) return;
            sum += Math.abs(levels[number * memory.units + unit] - 127.5);
            count += 1;
          });
          return count ? sum / count : 0;
        };
        marked = Array.from({ length: memory.units }, (_, unit) => [unit, mean(unit, true) - mean(unit, false)])
          .sort((one, other) => other[1] - one[1]).slice(0, 8).map(([unit]) => unit);
        if (from === 0 && to === pieces.length - 1) {
          units.textContent = "That is the whole sentence: choose a part of it.";
          return;
        }
        units.textContent = `Units whose memory is larger from “${shown(pieces[from])}” to “${shown(pieces[to])}” than elsewhere: ${marked.join(", ")}.`;
        redraw();
      });
      for (const strip of layer.strips) {
        const levels = bytes(strip.shades);
        const picture = canvas(pieces.length * width[side], STRIP, `${layer.name}, ${strip.name}: ${pieces.length} pieces, ${strip.units} units`);
        const value = (level) => (strip.kind === "gate" ? level / 255 : ((level / 255) * 2 - 1) * strip.bound);
        hover(picture, (x, y) => {
          const [at, unit] = [Math.floor(x * pieces.length), Math.floor(y * strip.units)];
          return `${strip.name}, unit ${unit}, at ${shown(pieces[at])}: ${value(levels[at * strip.units + unit]).toFixed(3)}`;
        });
        redraws.push(() => {
          heat(picture, pieces.length, strip.units, (column, unit) => levels[column * strip.units + unit], ramp[strip.kind]);
          const context = picture.getContext("2d");
          context.fillStyle = css("--ink");
          for (const unit of marked) context.fillRect(0, (unit / strip.units) * STRIP, 4, Math.max(1, STRIP / strip.units));
        });
        const share = (test) => percent(levels.filter((level) => test(value(level))).length / levels.length);
        const told = strip.kind === "gate"
          ? `open ${share((each) => each > 0.9)}, closed ${share((each) => each < 0.1)}`
          : `within ±${strip.bound}`;
        box.append(row(strip.name, [strip.function, told], picture, histogram(levels, strip)));
      }
      for (const [name, note] of [["memory", "size"], ["change", "of the memory"], ["kept", "part of the memory"], ["written", "part of the memory"]]) {
        const whole = [...layer.norms.memory, ...(layer.norms.kept ?? []), ...(layer.norms.written ?? [])];
        if (layer.norms[name]) {
          box.append(bars(side, name, note, pieces, () => layer.norms[name], name === "change" ? null : whole));
        }
      }
      box.append(bars(side, "influence", `of each piece on the last output; horizon ${layer.horizon === pieces.length - 1 ? `all ${layer.horizon}` : layer.horizon}`, pieces, () => layer.survival));
      const parts = [heading, box, units];
      if (layer.halfLives) parts.push(halfLives(layer.halfLives));
      return parts;
    }

    function histogram(levels, strip) {
      const bins = Array(16).fill(0);
      levels.forEach((level) => { bins[level >> 4] += 1; });
      const picture = canvas(64, 36, `distribution of ${strip.name}: ${bins.map((count) => percent(count / levels.length)).join(", ")}`);
      redraws.push(() => {
        const context = picture.getContext("2d");
        const most = Math.max(...bins);
        context.clearRect(0, 0, 64, 36);
        context.fillStyle = css("--soft");
        bins.forEach((count, at) => { const height = (34 * count) / most; context.fillRect(at * 4, 36 - height, 3, height); });
      });
      return picture;
    }

    function halfLives(lives) {
      const edges = [1, 2, 4, 8, 16, 32, Infinity];
      const counts = edges.map((edge, at) => lives.filter((life) => life < edge && life >= (edges[at - 1] ?? 0)).length);
      const longest = lives.map((life, unit) => [life, unit]).sort((one, other) => other[0] - one[0]).slice(0, 5);
      const names = edges.map((edge, at) => (edge === Infinity ? `${edges[at - 1]} pieces or more` : `under ${edge === 1 ? "1 piece" : `${edge} pieces`}`));
      const filled = edges.map((_, at) => at).filter((at) => counts[at]);
      return make("p", { className: "meta" },
        `Half of a unit's memory is gone after: ${filled.map((at) => `${names[at]} in ${counts[at]} ${counts[at] === 1 ? "unit" : "units"}`).join("; ")}. `
        + `Longest: ${longest.filter(([life]) => life > 0.05).map(([life, unit]) => `unit ${unit} (${life >= 1000 ? "loses nothing" : life.toFixed(1)})`).join(", ") || "none"}.`);
    }

    if (trace.search) place.append(...beamTree(trace.search));

    function beamTree(search) {
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
      return [heading, caption, advice, make("div", { className: "choice" }, toggle), box];
    }

    return redraw;
  };

  prepareColours();
  const redraws = [...document.querySelectorAll(".trace")].map((place) => draw(place, traces[Number(place.dataset.trace)]));
  redraws.forEach((redraw) => redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    prepareColours();
    redraws.forEach((redraw) => redraw());
  });
}
