// Each model's views, in the order of the data; several models stand side by side, block beside block.
const order = { forward: 0, first: 0, backward: 1, second: 1 };
const keys = [...new Set(traces.flatMap((trace) => trace.layers.map((layer) => layer.key)))].sort((one, other) => {
  const [[side, number, direction], [otherSide, otherNumber, otherDirection]] = [one, other].map((key) => key.split("."));
  if (side !== otherSide) return side === "encoder" ? -1 : 1;
  return number - otherNumber || order[direction] - order[otherDirection];
});

const drawTrace = (place, trace) => {
  const { translation, attention } = sentenceView(trace);
  const blocks = [translation, attention];
  keys.forEach((key, at) => {
    const layer = trace.layers.find((each) => each.key === key);
    const side = key.split(".")[0];
    const first = at === 0 || keys[at - 1].split(".")[0] !== side;
    const block = layer ? cellView(trace, layer)
      : make("div", { className: "block" }, make("p", { className: "meta" }, `This model has no ${key}.`));
    if (first) block.prepend(make("h3", {}, side === "encoder" ? "Encoder: reading the source" : "Decoder: writing the target"));
    blocks.push(block);
  });
  if (traces.some((each) => each.search)) blocks.push(trace.search ? beamView(trace) : make("div", { className: "block" }));
  place.append(...blocks);
  return blocks.length;
};

prepareColours();
const models = document.querySelector(".models");
for (const place of document.querySelectorAll(".trace")) {
  // Heading, settings and translation stand before the blocks.
  models.style.setProperty("--blocks", String(3 + drawTrace(place, traces[Number(place.dataset.trace)])));
}
models.style.setProperty("--models", String(traces.length));
models.classList.toggle("several", traces.length > 1);
const paintAll = () => painters.forEach((paint) => paint());
paintAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  prepareColours();
  paintAll();
});
