// Files of translators: which of their texts are translated, and the file with the translations in place.
// Each reader returns { texts, write(translations) }.

// Every line.
const plain = (content) => {
  const lines = content.split("\n");
  return { texts: lines, write: (translations) => translations.join("\n") };
};

// Subtitles (SubRip): numbers and times stay; the lines of a subtitle are one text.
const subtitles = (content) => {
  const [, body, end] = content.replaceAll("\r\n", "\n").match(/^([^]*?)(\n*)$/);
  const blocks = body.split(/\n{2,}/).map((block) => {
    const lines = block.split("\n");
    const time = lines.findIndex((line) => line.includes("-->"));
    return { head: lines.slice(0, time + 1), text: time < 0 ? null : lines.slice(time + 1).join(" ").trim(), whole: block };
  });
  const spoken = blocks.filter((block) => block.text);
  return {
    texts: spoken.map((block) => block.text),
    write: (translations) => {
      const found = new Map(spoken.map((block, at) => [block, translations[at]]));
      return blocks.map((block) => (found.has(block) ? [...block.head, found.get(block)].join("\n") : block.whole)).join("\n\n") + end;
    },
  };
};

// Messages (gettext): messages without a translation get one, marked as fuzzy, as a person has to read it.
const messages = (content) => {
  const entries = content.split(/\n{2,}/).map((entry) => parsed(entry));
  const open = entries.filter((entry) => entry.id && !entry.plural && !entry.obsolete && entry.translation === "");
  return {
    texts: open.map((entry) => entry.id),
    write: (translations) => {
      const found = new Map(open.map((entry, at) => [entry, translations[at]]));
      return entries.map((entry) => (found.has(entry) ? filled(entry, found.get(entry)) : entry.whole)).join("\n\n");
    },
  };
};

const parsed = (whole) => {
  const fields = {};
  let name = null;
  for (const line of whole.split("\n")) {
    const start = line.match(/^(msgid_plural|msgid|msgctxt|msgstr(?:\[\d+\])?)\s+"(.*)"\s*$/);
    const more = line.match(/^"(.*)"\s*$/);
    if (start) [name, fields[start[1]]] = [start[1], unescaped(start[2])];
    else if (more && name) fields[name] += unescaped(more[1]);
  }
  return { whole, id: fields.msgid, plural: "msgid_plural" in fields, translation: fields.msgstr, obsolete: /^#~/m.test(whole) };
};

const filled = (entry, translation) => {
  const lines = entry.whole.split("\n");
  const at = lines.findIndex((line) => line.startsWith("msgstr"));
  const rest = lines.slice(at + 1).filter((line) => !line.startsWith('"'));
  const flags = lines.findIndex((line) => line.startsWith("#,"));
  const head = lines.slice(0, at);
  if (flags < 0) head.splice(head.findIndex((line) => /^msg/.test(line)), 0, "#, fuzzy");
  else if (!/\bfuzzy\b/.test(head[flags])) head[flags] = head[flags].replace("#,", "#, fuzzy,");
  return [...head, `msgstr "${escaped(translation)}"`, ...rest].join("\n");
};

const NAMES = { n: "\n", t: "\t", r: "\r" };
const unescaped = (text) => text.replace(/\\(.)/g, (_, letter) => NAMES[letter] ?? letter);
const escaped = (text) => text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r");

const READERS = { txt: plain, srt: subtitles, po: messages };

export const readerOf = (name) => READERS[name.split(".").pop().toLowerCase()] ?? null;
