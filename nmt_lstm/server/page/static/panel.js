// The translation by one model: words to point at and to change, what they attended to, and other translations.
import { ask, make, percent } from "./dom.js";
import { insideView } from "./inside_view.js";
import { closeMenu, openMenu } from "./word_menu.js";

const [UNSURE, VERY_UNSURE] = [0.5, 0.2];

export const createPanel = (model) => {
  const output = make("div", { className: "output", data: { role: "group", "aria-label": `Translation by ${model.name}`, dir: "auto", lang: model.target.code } });
  const copy = make("button", { type: "button" }, "Copy");
  const undo = make("button", { type: "button", hidden: true }, "Undo my choices");
  const state = make("span", { className: "meta", data: { role: "status" } });
  const read = make("p", { className: "read", data: { dir: "auto", lang: model.source.code } });
  const explanation = make("p", { className: "explanation", data: { "aria-live": "polite" } });
  const alternatives = make("ul", { className: "alternatives", data: { "aria-label": "Other translations of the sentence" } });
  const inside = insideView(model.name);
  const box = make("section", { className: "panel", data: { "aria-label": model.name } },
    make("h2", {}, model.name), output, make("div", { className: "actions" }, copy, undo, state), read, explanation, alternatives, inside.box);

  // What translations are to begin with, by the sentence that is translated.
  let prefixes = {};
  // The translations of a sentence from which the reader took one, by the sentence.
  let lists = {};
  let [text, reply, controller, sentence] = ["", null, null, null];

  const translate = async () => {
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    if (!text.trim()) { reply = null; draw(); return; }
    output.classList.add("waiting");
    output.setAttribute("aria-busy", "true");
    try {
      reply = await ask("page/translate", { model: model.name, text, prefixes }, signal);
      // Choices for sentences that are gone are forgotten.
      const lines = new Set(reply.sentences.map((each) => each.line));
      prefixes = Object.fromEntries(Object.entries(prefixes).filter(([line]) => lines.has(line)));
      draw();
    } finally {
      if (!signal.aborted) {
        output.classList.remove("waiting");
        output.setAttribute("aria-busy", "false");
      }
    }
  };

  const choose = (line, prefix) => {
    prefixes[line] = prefix;
    translate().catch(report);
  };
  const report = (problem) => { if (problem.name !== "AbortError") state.textContent = problem.message; };

  const draw = () => {
    closeMenu();
    const focused = [...output.querySelectorAll(".word")].indexOf(document.activeElement);
    const listFocused = alternatives.contains(document.activeElement);
    output.classList.remove("outdated");
    output.inert = false;
    alternatives.inert = false;
    state.textContent = "";
    undo.hidden = Object.keys(prefixes).length === 0;
    copy.disabled = !reply;
    const before = sentence ? reply?.sentences.findIndex((each) => each.line === sentence.line) : -1;
    output.replaceChildren(...(reply ? reply.parts.map((part) =>
      (typeof part === "string" ? part : sentenceNode(reply.sentences[part]))) : [make("span", { className: "empty" }, "Translation")]));
    const words = output.querySelectorAll(".word");
    words.forEach((word, at) => { word.tabIndex = at ? -1 : 0; });
    lookAt(reply?.sentences[Math.max(0, before)] ?? null);
    // Whoever uses the keyboard stays where the choice was made.
    if (focused >= 0) goTo(words, Math.min(focused, words.length - 1));
    if (listFocused) alternatives.querySelector("button")?.focus();
  };

  const goTo = (words, at) => {
    words.forEach((word, place) => { word.tabIndex = place === at ? 0 : -1; });
    words[at]?.focus();
  };

  const sentenceNode = (each) => {
    const node = make("span");
    if (!each.target.length) { node.append(each.line); return node; }
    each.target.forEach((token, at) => {
      if (token.space) node.append(" ");
      const isChosen = each.prefix.length > token.before.length && each.prefix.startsWith(token.before);
      const word = make("button", { type: "button", className: "word", data: { "aria-haspopup": "listbox", "aria-expanded": "false" } }, token.text);
      word.classList.toggle("unsure", !isChosen && token.probability < UNSURE);
      word.classList.toggle("very", token.probability < VERY_UNSURE);
      word.classList.toggle("chosen", isChosen);
      const look = () => { lookAt(each); attend(each, at); };
      word.addEventListener("pointerenter", look);
      word.addEventListener("focus", look);
      word.addEventListener("click", () => openMenu(word, { model: model.name, line: each.line, token, choose: (prefix) => choose(each.line, prefix) }));
      node.append(word);
    });
    each.words = [...node.querySelectorAll(".word")];
    return node;
  };

  // Shows a sentence below the translation.
  const lookAt = (each) => {
    if (each === sentence && each !== null) return;
    sentence = each;
    explanation.textContent = "";
    const list = lists[each?.line] ?? [];
    const others = list.includes(each?.text) ? list.filter((text) => text !== each.text) : each?.alternatives ?? [];
    alternatives.replaceChildren(...others.map((other) => {
      const button = make("button", { type: "button", title: "Use this translation", data: { dir: "auto", lang: model.target.code } }, other);
      button.addEventListener("click", () => {
        lists[each.line] = [each.text, ...others];
        choose(each.line, other);
      });
      return make("li", {}, button);
    }));
    read.replaceChildren();
    each?.source.forEach((token, at) => {
      if (token.space) read.append(" ");
      const node = make("span", {}, token.text);
      node.addEventListener("pointerenter", () => attendedBy(each, at));
      read.append(node);
    });
    inside.show(each?.target.length ? each.line : "", each?.text ?? "");
  };

  const shade = (nodes, weights) => nodes.forEach((node, at) => {
    node.dataset.weight = "";
    node.style.setProperty("--weight", weights[at].toFixed(3));
  });
  const clear = () => box.querySelectorAll("[data-weight]").forEach((node) => delete node.dataset.weight);

  // Which source words a word attended to.
  const attend = (each, at) => {
    const token = each.target[at];
    clear();
    each.words.forEach((word, place) => word.classList.toggle("active", place === at));
    shade([...read.children], token.attention);
    const rest = 1 - token.attention.reduce((sum, weight) => sum + weight, 0);
    const looked = token.attention.map((weight, place) => [weight, each.source[place].text]).concat([[rest, "the end"]])
      .filter(([weight]) => weight >= 0.05).sort(([one], [other]) => other - one).slice(0, 4);
    explanation.textContent = `“${token.text}”: probability ${percent(token.probability)}. Attention: `
      + `${looked.map(([weight, name]) => `${name} ${percent(weight)}`).join(", ") || "none"}.`;
  };

  // Which words attended to a source word.
  const attendedBy = (each, at) => {
    clear();
    each.words?.forEach((word) => word.classList.remove("active"));
    shade(each.words ?? [], each.target.map((token) => token.attention[at]));
    read.children[at].dataset.weight = "";
    read.children[at].style.setProperty("--weight", "1");
    explanation.textContent = `Words that attended to “${each.source[at].text}” are shaded.`;
  };

  output.addEventListener("keydown", (event) => {
    const words = [...output.querySelectorAll(".word")];
    const at = words.indexOf(document.activeElement);
    const rtl = getComputedStyle(output).direction === "rtl" ? -1 : 1;
    const moves = { ArrowRight: at + rtl, ArrowLeft: at - rtl, Home: 0, End: words.length - 1 };
    if (at < 0 || !(event.key in moves)) return;
    event.preventDefault();
    goTo(words, Math.min(Math.max(moves[event.key], 0), words.length - 1));
  });
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(output.textContent);
    state.textContent = "Copied.";
  });
  undo.addEventListener("click", () => { prefixes = {}; lists = {}; translate().catch(report); });
  draw();
  return {
    box,
    model,
    translate: (newText) => { text = newText; return translate(); },
    // The text has changed, and has no translation.
    outdated: () => {
      controller?.abort();
      closeMenu();
      output.classList.add("outdated");
      output.inert = true;
      alternatives.inert = true;
      copy.disabled = true;
    },
    clear: () => { controller?.abort(); text = ""; reply = null; draw(); },
  };
};
