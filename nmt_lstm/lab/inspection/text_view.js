// The other sentences of a text in which chosen units are at their extremes; text_index.py says what is looked up.
const MAX_SIMILAR_SENTENCES = 6;
const NOWHERE = 65535;

const floats = (text) => new Float32Array(bytes(text).buffer);

// A cell's units over the text; null where the page has no text.
const textIndex = (trace, layer) => {
  if (!trace.text) return null;
  const { mean, deviation, places } = trace.text.cells[layer.key];
  return {
    mean: floats(mean), deviation: floats(deviation), places: new Uint16Array(bytes(places).buffer),
    perUnit: trace.text.places_per_unit, sentences: trace.text[layer.side],
  };
};

// How far a unit is from its mean over the text, in its standard deviations.
const standardised = (index, unit, value) => (value - index.mean[unit]) / Math.max(index.deviation[unit], 1e-9);

// Sentences in which most of the units are extreme in the same direction; `units` are pairs of unit and difference.
const similarSentences = (index, units) => {
  const starts = [];
  index.sentences.reduce((start, pieces, at) => { starts[at] = start; return start + pieces.length; }, 0);
  const matches = new Map();
  for (const [unit, difference] of units) {
    const begin = (2 * unit + (difference < 0 ? 1 : 0)) * index.perUnit;
    for (const place of index.places.subarray(begin, begin + index.perUnit)) {
      if (place === NOWHERE) continue;
      let sentence = starts.length - 1;
      while (starts[sentence] > place) sentence -= 1;
      const marks = matches.get(sentence) ?? new Map();
      const at = place - starts[sentence];
      marks.set(at, [...(marks.get(at) ?? []), unit]);
      matches.set(sentence, marks);
    }
  }
  const count = (marks) => [...marks.values()].reduce((sum, own) => sum + own.length, 0);
  return [...matches].sort((one, other) => count(other[1]) - count(one[1])).slice(0, MAX_SIMILAR_SENTENCES);
};

const sentenceList = (index, units) => make("ul", { className: "sentences" },
  ...similarSentences(index, units).map(([sentence, marks]) => {
    const parts = index.sentences[sentence].flatMap((piece, at) => {
      const space = piece.startsWith("▁") && at ? " " : "";
      const text = piece === END ? "⏎" : piece.replace(/^▁/, "");
      return [space, marks.has(at) ? make("mark", { title: `units ${marks.get(at).join(", ")}` }, text || "▁") : text];
    });
    const names = [...new Set([...marks.values()].flat())].join(", ");
    return make("li", {}, ...parts, make("small", {}, ` units ${names}`));
  }));
