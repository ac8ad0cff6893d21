// The menu of a word: what else the model would have written there, and a field for one's own word.
import { ask, make, percent } from "./dom.js";

let open = null;

export const closeMenu = () => {
  if (!open) return;
  const { box, word, leave } = open;
  open = null;
  leave();
  box.remove();
  word.setAttribute("aria-expanded", "false");
};

// Opens the menu below a word. `choose` is called with what the translation is to begin with.
export const openMenu = async (word, { model, line, token, choose }) => {
  const isOpen = open?.word === word;
  closeMenu();
  if (isOpen) return;
  const list = make("ul", { data: { role: "listbox", tabindex: "0", "aria-label": `Instead of ${token.text}` } });
  const message = make("p", { data: { role: "status" } }, "Looking for other words …");
  const field = make("input", { type: "text", placeholder: "your own word", data: { "aria-label": "Your own word", dir: "auto" } });
  const form = make("form", {}, field, make("button", { type: "submit" }, "Use"));
  const box = make("div", { className: "menu" }, message, list, form);
  document.body.append(box);
  const leave = dismissal(box, word);
  open = { box, word, leave };
  word.setAttribute("aria-expanded", "true");
  place(box, word);
  const done = (prefix) => {
    closeMenu();
    word.focus();
    choose(prefix);
  };
  const joined = (text) => `${token.before}${token.before && token.space ? " " : ""}${text}`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) done(joined(field.value.trim()));
  });
  try {
    const { words } = await ask("page/words", { model, text: line, prefix: token.before });
    if (open?.box !== box) return;
    message.textContent = words.length ? "" : "The model has no other word here.";
    message.hidden = words.length > 0;
    words.forEach((each, at) => {
      const item = make("li", { id: `choice-${at}`, data: { role: "option", "aria-selected": String(each.text === token.text) } },
        make("span", { data: { dir: "auto" } }, each.text), make("span", {}, percent(each.probability)));
      item.addEventListener("click", () => done(each.prefix));
      list.append(item);
    });
    walk(list, (at) => done(words[at].prefix));
    place(box, word);
    if (words.length) list.focus(); else field.focus();
  } catch (problem) {
    message.textContent = problem.message;
  }
};

// Arrow keys and Enter in a list.
const walk = (list, choose) => {
  const items = [...list.children];
  let at = Math.max(0, items.findIndex((item) => item.getAttribute("aria-selected") === "true"));
  const select = (number) => {
    at = (number + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    list.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  };
  if (items.length) select(at);
  list.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) select(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") choose(at);
    else return;
    event.preventDefault();
  });
};

const place = (box, word) => {
  const at = word.getBoundingClientRect();
  const room = document.documentElement.clientWidth - box.offsetWidth - 16;
  box.style.left = `${Math.max(16, Math.min(at.left, room)) + scrollX}px`;
  box.style.top = `${at.bottom + 4 + scrollY}px`;
  box.scrollIntoView({ block: "nearest" });
};

// Escape, and a click elsewhere, close the menu.
const dismissal = (box, word) => {
  const outside = (event) => { if (!box.contains(event.target) && event.target !== word) closeMenu(); };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    closeMenu();
    word.focus();
  };
  document.addEventListener("pointerdown", outside);
  document.addEventListener("keydown", escape);
  return () => {
    document.removeEventListener("pointerdown", outside);
    document.removeEventListener("keydown", escape);
  };
};
