// The page: languages and models are chosen, a text is typed, and each chosen model translates it.
import { ask, keyField, lengthOf, make } from "./dom.js";
import { translateFile } from "./files.js";
import { createPanel } from "./panel.js";

const AUTO = "auto";
const DEBOUNCE = 250; // milliseconds without typing
const at = (id) => document.getElementById(id);
const [from, to, swap, choices, source, panels, problem] = ["from", "to", "swap", "models", "source", "panels", "problem"].map(at);

let [offer, shown, detected] = [{ models: [] }, [], null];
let timer = null;
let turn = 0;

// Says what is wrong, and tries again when the server says so, or is gone.
const report = (error) => {
  if (error?.name === "AbortError") return;
  const again = error?.retryAfter;
  problem.textContent = error ? `${error.message}${again ? ` Trying again in ${again} s.` : ""}` : "";
  problem.hidden = !error;
  if (error) shown.forEach((panel) => panel.outdated());
  if (again) {
    clearTimeout(timer);
    timer = setTimeout(translate, 1000 * again);
  }
};

const unique = (languages) => [...new Map(languages.map((each) => [each.code, each])).values()];
const options = (select, languages, chosen) => {
  select.replaceChildren(...languages.map(({ code, name }) => make("option", { value: code, selected: code === chosen }, name)));
};
const sourceCode = () => (from.value === AUTO ? detected : from.value);
const between = (one, other) => offer.models.filter((model) => model.source.code === one && model.target.code === other);

// The target languages of the source language; the choice is kept where it can be.
const offerTargets = () => {
  const code = sourceCode();
  const models = code ? offer.models.filter((model) => model.source.code === code) : offer.models;
  options(to, unique(models.map((model) => model.target)), to.value);
  offerModels();
};

const offerModels = () => {
  const code = sourceCode() ?? offer.models.find((model) => model.target.code === to.value)?.source.code;
  const models = between(code, to.value);
  const before = new Set(shown.map((panel) => panel.model.name));
  const chosen = models.filter((model) => before.has(model.name));
  const checked = new Set((chosen.length ? chosen : models.slice(0, 1)).map((model) => model.name));
  choices.hidden = models.length < 2;
  choices.replaceChildren(choices.firstElementChild, ...models.map((model) => {
    const box = make("input", { type: "checkbox", checked: checked.has(model.name) });
    box.addEventListener("change", () => {
      if (checked.size === 1 && !box.checked) { box.checked = true; return; }
      checked[box.checked ? "add" : "delete"](model.name);
      show(models.filter((each) => checked.has(each.name)));
      translate();
    });
    return make("label", {}, box, ` ${model.name}`);
  }));
  swap.disabled = between(to.value, code).length === 0;
  show(models.filter((model) => checked.has(model.name)));
};

// One panel for each model; those that stay keep what they show.
const show = (models) => {
  const old = new Map(shown.map((panel) => [panel.model.name, panel]));
  shown = models.map((model) => old.get(model.name) ?? createPanel(model));
  panels.replaceChildren(...shown.map((panel) => panel.box));
  panels.parentElement.classList.toggle("several", shown.length > 1);
  panels.classList.toggle("single", shown.length === 1);
};

// The language of a text: its name, and a model that translates from it, into the chosen language if there is one.
const languageOf = async (text) => {
  const [best] = await ask("detect", { q: text });
  const languages = offer.models.flatMap((model) => [model.source, model.target]);
  const models = offer.models.filter((model) => model.source.code === best.language);
  return {
    name: languages.find((each) => each.code === best.language)?.name ?? best.language,
    model: models.find((model) => model.target.code === to.value) ?? models[0],
  };
};

const detect = async (text) => {
  if (from.value !== AUTO) return;
  const { name, model } = await languageOf(text);
  at("detected").textContent = `Detected: ${name}`;
  if (!model) throw new Error(`No model here translates from ${name}.`);
  if (model.source.code !== detected) {
    detected = model.source.code;
    offerTargets();
  }
};

// The model that translates the texts of a file.
const modelOfFile = async (texts) => {
  if (from.value !== AUTO) return shown[0].model;
  const { name, model } = await languageOf(texts.join("\n").slice(0, 2000));
  if (!model) throw new Error(`The file is in ${name}; no model here translates from it.`);
  return model;
};

const translate = async () => {
  const text = source.value;
  const mine = turn += 1;
  const length = lengthOf(text);
  at("count").textContent = `${length.toLocaleString("en")} of ${offer.characters.toLocaleString("en")} characters`;
  if (!text.trim()) { shown.forEach((panel) => panel.clear()); at("detected").textContent = ""; report(null); return; }
  try {
    if (length > offer.characters) throw new Error(`The text has ${(length - offer.characters).toLocaleString("en")} characters too many.`);
    await detect(text);
    if (mine !== turn) return;
    await Promise.all(shown.map((panel) => panel.translate(text)));
    if (mine === turn) report(null);
  } catch (error) {
    if (mine === turn) report(error);
  }
};

const begin = async () => {
  offer = await ask("page/models");
  at("key").hidden = !offer.keyRequired;
  const sources = unique(offer.models.map((model) => model.source));
  const detection = sources.length > 1 ? [{ code: AUTO, name: "Detect the language" }] : [];
  options(from, [...sources, ...detection], sources[0].code);
  offerTargets();
  translate();
};

for (const field of [source, keyField]) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(translate, DEBOUNCE);
  });
}
from.addEventListener("change", () => { detected = null; at("detected").textContent = ""; offerTargets(); translate(); });
to.addEventListener("change", () => { offerModels(); translate(); });
swap.addEventListener("click", () => {
  const [one, other] = [sourceCode() ?? shown[0]?.model.source.code, to.value];
  const translation = shown[0]?.box.querySelector(".output .word") ? shown[0].box.querySelector(".output").textContent : "";
  from.value = other;
  detected = null;
  offerTargets();
  to.value = one;
  offerModels();
  if (translation) source.value = translation;
  translate();
});
at("settings").addEventListener("submit", (event) => event.preventDefault());
at("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file || !shown.length) return;
  const state = at("file-state");
  try {
    await translateFile(file, { modelOf: modelOfFile, limits: offer, state });
  } catch (error) {
    state.textContent = error.message;
  }
});
begin().catch(report);
