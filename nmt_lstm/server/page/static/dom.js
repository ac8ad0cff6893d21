// Elements, and requests to the server of this page.

export const make = (tag, properties = {}, ...children) => {
  const { data, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  for (const [key, value] of Object.entries(data ?? {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

export const percent = (share) => (share > 0 && share < 0.005 ? "under 1\u00a0%" : `${Math.round(100 * share)}\u00a0%`);

// As the server counts: what JavaScript writes in two units is one character.
export const lengthOf = (text) => [...text].length;

// The key stays in this tab, and survives reloading it.
export const keyField = document.querySelector("#key input");
keyField.value = sessionStorage.getItem("key") ?? "";
keyField.addEventListener("input", () => sessionStorage.setItem("key", keyField.value));

// Asks the server, and returns its JSON; a refusal is thrown with the server's reason.
export const ask = async (path, body, signal) => {
  const request = body === undefined ? { signal } : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(keyField.value ? { ...body, api_key: keyField.value } : body),
    signal,
  };
  let reply;
  try {
    reply = await fetch(path, request);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw Object.assign(new Error("The server does not answer."), { retryAfter: 3 });
  }
  const value = await reply.json().catch(() => ({}));
  if (reply.ok) return value;
  const again = reply.headers.get("Retry-After");
  const problem = new Error(value.error ?? `The server answered with status ${reply.status}.`);
  problem.retryAfter = again ? Number(again) : null;
  throw problem;
};
