// Files in and out: the texts of a file are translated in parts, and the result is offered for saving.
import { ask, lengthOf, make } from "./dom.js";
import { readerOf } from "./formats.js";

const CHARACTERS = 20000; // of a request: progress is seen, and nobody else waits for long
const LARGEST = 20e6; // bytes of a file
const PATIENCE = 5; // times that a busy server is asked again

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });

// A busy server says when to come again.
const patient = async (path, body, wait) => {
  for (let left = PATIENCE; ; left -= 1) {
    try {
      return await ask(path, body);
    } catch (problem) {
      if (!problem.retryAfter || left === 0) throw problem;
      wait(`${problem.message} Trying again in ${problem.retryAfter} s.`);
      await pause(problem.retryAfter);
      wait("");
    }
  }
};

export const translateFile = async (file, { modelOf, limits, state }) => {
  const reader = readerOf(file.name);
  if (!reader) throw new Error(`${file.name} is not a .txt, .po or .srt file.`);
  if (file.size > LARGEST) throw new Error(`${file.name} is larger than ${LARGEST / 1e6} MB; use nmt-lstm translate for it.`);
  let whole;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not written in UTF-8.`);
  }
  const mark = whole.startsWith("\ufeff") ? "\ufeff" : "";
  const content = whole.slice(mark.length).replaceAll("\r\n", "\n");
  if (!content.trim()) throw new Error(`${file.name} is empty.`);
  let texts;
  let write;
  try {
    ({ texts, write } = reader(content));
  } catch (problem) {
    throw new Error(`${file.name} cannot be read. ${problem.message}`);
  }
  const some = texts.filter((text) => text.trim());
  if (!some.length) throw new Error(`${file.name} has nothing to translate.`);
  const model = await modelOf(some);
  const bar = make("progress", { max: Math.max(texts.length, 1), value: 0, data: { "aria-label": `Translating ${file.name}` } });
  const waiting = make("span", { className: "meta" });
  state.replaceChildren(bar, " ", waiting);
  const done = [];
  while (done.length < texts.length) {
    const part = [];
    let size = 0;
    for (const text of texts.slice(done.length, done.length + limits.texts)) {
      if (lengthOf(text) > limits.characters) throw new Error(`A text of ${file.name} has more than ${limits.characters} characters.`);
      if (part.length && size + text.length > CHARACTERS) break;
      part.push(text);
      size += text.length;
    }
    done.push(...(await patient("page/texts", { model: model.name, texts: part }, (text) => { waiting.textContent = text; })).texts);
    bar.value = done.length;
  }
  const result = whole.includes("\r\n") ? write(done).replaceAll("\n", "\r\n") : write(done);
  const name = file.name.replace(/(\.[^.]+)$/, `.${model.target.code}$1`);
  const link = make("a", { href: URL.createObjectURL(new Blob([mark + result], { type: "text/plain;charset=utf-8" })), download: name }, `Save ${name}`);
  const languages = `from ${model.source.name} to ${model.target.name}`;
  state.replaceChildren(`${some.length === 1 ? "1 text" : `${some.length} texts`} translated ${languages}. `, link);
};
