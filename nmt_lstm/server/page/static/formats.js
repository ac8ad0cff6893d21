// Files of translators: which of their texts are translated, and the file with the translations in place.
// Each reader takes the content with ends of lines as in Unix, and returns { texts, write(translations) }.

// Every line.
const plain = (content) => ({ texts: content.split("\n"), write: (translations) => translations.join("\n") });

// Subtitles (SubRip): numbers and times stay. The lines of a subtitle are one text, unless each is another speaker's.
const subtitles = (content) => {
  const [, body, end] = content.match(/^([^]*?)(\n*)$/);
  const blocks = body.split(/\n{2,}/).map((block, number) => {
    const lines = block.split("\n");
    const time = lines.findIndex((line) => line.includes("-->"));
    if (time < 0) throw new Error(`Subtitle ${number + 1} has no line of times such as 00:00:01,000 --> 00:00:02,000.`);
    return { head: lines.slice(0, time + 1), speeches: speechesOf(lines.slice(time + 1)) };
  });
  return {
    texts: blocks.flatMap((block) => block.speeches.map(({ text }) => text)),
    write: (translations) => {
      let next = 0;
      const written = ({ head, speeches }) => [...head, ...speeches.map(({ dash }) => { next += 1; return dash + translations[next - 1]; })];
      return blocks.map((block) => written(block).join("\n")).join("\n\n") + end;
    },
  };
};

const speechesOf = (lines) => {
  const speeches = [];
  for (const line of lines) {
    const [, dash, text] = line.match(/^(\s*[-–—]\s*)?(.*)$/);
    if (dash || !speeches.length) speeches.push({ dash: dash ?? "", text: text.trim() });
    else speeches.at(-1).text += ` ${text.trim()}`;
  }
  return speeches;
};

// Messages (gettext): messages without a translation get one, marked as fuzzy, as a person has to read it.
const messages = (content) => {
  const entries = content.split(/\n{2,}/).map(entryOf);
  if (!entries.some((entry) => "msgid" in entry.fields)) throw new Error("The file has no messages.");
  const open = entries.filter(({ fields, obsolete }) => fields.msgid && !obsolete
    && Object.entries(fields).every(([name, text]) => !name.startsWith("msgstr") || !text));
  return {
    texts: open.flatMap(({ fields }) => ("msgid_plural" in fields ? [fields.msgid, fields.msgid_plural] : [fields.msgid])),
    write: (translations) => {
      const found = new Map();
      let next = 0;
      for (const entry of open) {
        const count = "msgid_plural" in entry.fields ? 2 : 1;
        found.set(entry, translations.slice(next, next + count));
        next += count;
      }
      return entries.map((entry) => (found.has(entry) ? filled(entry, found.get(entry)) : entry.whole)).join("\n\n");
    },
  };
};

const entryOf = (whole) => {
  const fields = {};
  let name = null;
  for (const line of whole.split("\n")) {
    const start = line.match(/^(msgid_plural|msgid|msgctxt|msgstr(?:\[\d+\])?)\s+"(.*)"\s*$/);
    const more = line.match(/^"(.*)"\s*$/);
    if (start) [name, fields[start[1]]] = [start[1], unescaped(start[2])];
    else if (more && name) fields[name] += unescaped(more[1]);
    else if (line.trim() && !line.startsWith("#")) throw new Error(`This line is not one of a .po file: ${line.slice(0, 60)}`);
  }
  return { whole, fields, obsolete: /^#~/m.test(whole) };
};

// With plural forms, the first is that of one thing; a language with a single form says that of several.
const filled = (entry, translations) => {
  const head = entry.whole.split("\n").filter((line) => line.startsWith("#"));
  const flags = head.findIndex((line) => line.startsWith("#,"));
  if (flags < 0) head.push("#, fuzzy");
  else if (!/\bfuzzy\b/.test(head[flags])) head[flags] = head[flags].replace("#,", "#, fuzzy,");
  const lines = entry.whole.split("\n").filter((line) => !line.startsWith("#"));
  const body = lines.slice(0, lines.findIndex((line) => line.startsWith("msgstr")));
  const forms = Object.keys(entry.fields).filter((name) => name.startsWith("msgstr"));
  const text = (at) => (at === 0 && forms.length > 1 ? translations[0] : translations.at(-1));
  return [...head, ...body, ...forms.map((name, at) => `${name} "${escaped(text(at))}"`), ...(entry.whole.endsWith("\n") ? [""] : [])].join("\n");
};

const NAMES = { n: "\n", t: "\t", r: "\r" };
const unescaped = (text) => text.replace(/\\(.)/g, (_, letter) => NAMES[letter] ?? letter);
const escaped = (text) => text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r");

const READERS = { txt: plain, srt: subtitles, po: messages };

export const readerOf = (name) => READERS[name.split(".").pop().toLowerCase()] ?? null;
