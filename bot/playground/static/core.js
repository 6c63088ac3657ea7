// What every part of the page uses: the server, the state it told, nodes, and words to the person.

export const $ = (id) => document.getElementById(id);

/** What the server told last. `current` is the open chat and its thread; `moved`, new ids of groups by the old. */
export const state = { bot: {}, users: [], chats: [], moved: {}, clock: { now: 0, ahead_s: 0 }, newsroom: false, skew: 0, current: null };

export async function api(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  } else if (method !== "GET") {
    return api(method, path, {});
  }
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer.ok === false) throw new Error(answer.error ?? `${path}: status ${response.status}`);
  return answer;
}

/** Run what a person asked for; a refusal is told to them, not thrown. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}

/** `load`, at most one at a time: calls while it runs are answered by one more run after it. */
export function coalesced(load) {
  let running = null;
  let again = false;
  return function run() {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await attempt(load);
      } while (again);
      running = null;
    })();
    return running;
  };
}

/** `draw` once before the next frame, however often it was asked for. */
export function framed(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** An element; strings among the children become text nodes, never markup. */
export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

let toastTimer;
export function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

/** What Telegram shows in the middle of the screen until it is dismissed. */
export function alertBox(text) {
  $("alert").querySelector("p").textContent = text;
  if (!$("alert").open) $("alert").showModal();
}

/** A chat and thread as one word. */
export const key = (chatId, thread) => `${chatId}:${thread}`;

export const user = (id) => state.users.find((one) => one.id === id);
export const chat = (id) => state.chats.find((one) => one.id === id);

/** Who acts in a chat: its own person in a private one, the chosen person in a group. */
export const speaker = (chatId) => (user(chatId) ? chatId : Number($("speaker").value) || undefined);

/** Telegram's time, in seconds: the page's own clock may differ, and Telegram's can be turned on. */
export const now = () => Date.now() / 1000 + state.skew;

/** Take over the server's word on the time. */
export function setClock(told) {
  state.clock = told;
  state.skew = told.now - Date.now() / 1000;
}

/** The time on the clock of whoever looks at the open chat. `full`: with the date. */
export function clock(seconds, full = false) {
  const zone = user(state.current && speaker(state.current.chat))?.time_zone;
  const style = full ? { dateStyle: "medium", timeStyle: "medium" } : { hour: "2-digit", minute: "2-digit" };
  return new Date(seconds * 1000).toLocaleString("en-GB", { ...style, timeZone: zone, hourCycle: "h23" });
}
