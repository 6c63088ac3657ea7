// The chat page: it shows what the server holds and sends what a person does. It decides nothing about Telegram's rules.
// Text of messages only ever becomes text nodes: nothing here parses markup.

const $ = (id) => document.getElementById(id);
const state = { bot: {}, users: [], chats: [], current: null, calls: [] };
const shown = new Map(); // message_id -> {source, node} of the open chat

// ---------------------------------------------------------------- the server

async function api(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer.ok === false) throw new Error(answer.error ?? `${path}: status ${response.status}`);
  return answer;
}

/** Run what a person asked for; a refusal is told to them, not thrown. */
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}

/** `load`, at most one at a time: calls while it runs are answered by one more run after it. */
function coalesced(load) {
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

// ---------------------------------------------------------------- small helpers

function node(tag, attributes = {}, ...children) {
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
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "");

/** The address when it is one a browser may open from a message, else null (no javascript:, data: and the like). */
function safeUrl(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------- text with entities

/** DOM nodes for text[start, end). Offsets are UTF-16 units, as Telegram's are, and so are a JavaScript string's. */
function formatted(text, entities, start = 0, end = text.length) {
  const nodes = [];
  let at = start;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at || stop <= entity.offset) continue;
    const inner = entities.slice(i + 1).filter((other) => other.offset >= entity.offset && other.offset < stop);
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    nodes.push(drawn(entity, text.slice(entity.offset, stop), formatted(text, inner, entity.offset, stop)));
    at = stop;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

function drawn(entity, raw, children) {
  if (TAGS[entity.type]) return node(TAGS[entity.type], {}, ...children);
  switch (entity.type) {
    case "text_link": return link(entity.url, children);
    case "url": return link(/^[a-z][a-z0-9+.-]*:/i.test(raw) ? raw : `https://${raw}`, children);
    case "email": return link(`mailto:${raw}`, children);
    case "spoiler": return node("span", { class: "spoiler", tabindex: "0" }, ...children);
    case "bot_command": return inline(children, `Send ${raw}`, () => say(raw));
    case "hashtag": return inline(children, `Write ${raw} in the message`, () => fill(raw));
    default: return node("span", { class: entity.type }, ...children);
  }
}

const inline = (children, title, onclick) => node("button", { type: "button", class: "inline", title, onclick }, ...children);

function link(address, children, attributes = {}) {
  const href = safeUrl(address);
  if (!href) return node("span", { title: address, ...attributes }, ...children);
  const made = node("a", { href, target: "_blank", rel: "noopener noreferrer", title: href, ...attributes }, ...children);
  const url = new URL(href);
  // A deep link to this bot opens no browser in Telegram either: it sends /start with its parameter.
  if (url.hostname === "t.me" && url.pathname === `/${state.bot.username}` && url.searchParams.has("start")) {
    made.addEventListener("click", (event) => {
      event.preventDefault();
      say(`/start ${url.searchParams.get("start")}`.trim());
    });
  }
  return made;
}

const outerFirst = (a, b) => a.offset - b.offset || b.length - a.length;

// ---------------------------------------------------------------- messages

function bubble(message) {
  const mine = !message.from?.is_bot;
  const text = message.text ?? message.caption ?? "";
  const entities = [...(message.entities ?? message.caption_entities ?? [])].sort(outerFirst);
  const body = node("div", { class: "bubble" });
  if (message.from) body.append(node("div", { class: "from" }, message.from.first_name ?? "bot"));
  if (message.photo) body.append(photo(message.photo.at(-1)));
  if (message.document) body.append(node("div", { class: "file" }, "📎 ", message.document.file_name ?? "file"));
  body.append(node("div", { class: "text", dir: "auto" }, ...formatted(text, entities)));
  const time = node("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date));
  body.append(node("span", { class: "time" }, message.edit_date ? "edited " : "", time));
  const item = node("li", { class: mine ? "message mine" : "message", "data-message-id": message.message_id }, body);
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (rows.length) item.append(keyboard(message, rows));
  return item;
}

const photo = (size) => node("img", {
  class: "photo", src: `/api/photo?id=${encodeURIComponent(size.file_id)}`, alt: "Photo", width: size.width, height: size.height,
});

function keyboard(message, rows) {
  const press = async (event, button) => {
    const pressed = event.currentTarget;
    if (pressed.ariaBusy === "true") return; // as Telegram: one press at a time
    pressed.ariaBusy = "true"; // not `disabled`, which would take the keyboard's focus away
    await attempt(() => api("POST", "/api/press", {
      chat_id: message.chat.id, message_id: message.message_id, data: button.callback_data, user_id: speaker(message.chat.id),
    }));
    pressed.ariaBusy = "false";
  };
  const key = (button) => (button.url
    ? link(button.url, [button.text, " ↗"])
    : node("button", { type: "button", onclick: (event) => press(event, button) }, button.text));
  const label = { class: "keyboard", role: "group", "aria-label": "Buttons of the message" };
  return node("div", label, ...rows.map((row) => node("div", {}, ...row.map(key))));
}

const loadMessages = coalesced(async () => {
  const chat = state.current;
  if (chat === null) return;
  const { messages } = await api("GET", `/api/messages?chat_id=${chat}`);
  if (chat === state.current) showMessages(messages);
});

/** Bring the list to `messages`, touching only what differs: an edit happens in place, a reader hears only what is new. */
function showMessages(messages) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.querySelector(".empty")?.remove();
  const kept = new Set(messages.map((message) => message.message_id));
  for (const [id, old] of shown) {
    if (!kept.has(id)) {
      old.node.remove();
      shown.delete(id);
    }
  }
  let grown = false;
  for (const message of messages) {
    const source = JSON.stringify(message);
    const old = shown.get(message.message_id);
    if (old?.source === source) continue;
    const made = bubble(message);
    if (old) replaceKeepingFocus(old.node, made);
    else {
      list.append(made);
      grown = true;
    }
    shown.set(message.message_id, { source, node: made });
  }
  if (!messages.length) list.append(emptyChat());
  if (grown && atEnd) list.scrollTop = list.scrollHeight;
}

/** An edit redraws buttons; whoever pressed one by keyboard stays at the same place of the message. */
function replaceKeepingFocus(old, made) {
  const part = document.activeElement.closest(".keyboard") ? ".keyboard" : ".text"; // the other part may have grown
  const targets = (item) => [...item.querySelectorAll(`${part} a, ${part} button`)];
  const place = targets(old).indexOf(document.activeElement);
  old.replaceWith(made);
  if (place >= 0) (targets(made)[place] ?? targets(made).at(-1) ?? $("messages")).focus();
}

const emptyChat = () => node("li", { class: "empty" },
  node("p", {}, "Nothing said here yet."),
  node("button", { type: "button", onclick: () => say("/start") }, "Start"));

// ---------------------------------------------------------------- people and chats

const user = (id) => state.users.find((one) => one.id === id);
const chatName = (chat) => chat.title || user(chat.id)?.first_name || String(chat.id);
/** Who acts in a chat: its own person in a private one, the chosen person in a group. */
const speaker = (chatId) => (user(chatId) ? chatId : Number($("speaker").value) || undefined);

const loadState = coalesced(async () => {
  Object.assign(state, await api("GET", "/api/state"));
  if (state.current === null && state.chats.length) open(state.chats[0].id);
  else showChats();
});

function showChats() {
  const focused = document.activeElement?.dataset?.chat;
  $("chats").replaceChildren(...state.chats.map((chat) => {
    const person = user(chat.id);
    const note = [person ? person.language_code : chat.type, person?.blocked && "blocked"].filter(Boolean).join(", ");
    return node("li", {}, node("button", {
      type: "button", "data-chat": chat.id, "aria-current": String(chat.id === state.current), onclick: () => open(chat.id),
    }, node("span", { class: "name" }, chatName(chat)), node("span", { class: "note" }, note)));
  }));
  if (focused) document.querySelector(`[data-chat="${focused}"]`)?.focus();
  const chat = state.chats.find((one) => one.id === state.current);
  const person = chat && user(chat.id);
  $("chat-title").textContent = chat ? chatName(chat) : "No chat yet";
  $("block").hidden = !person;
  $("block").textContent = person?.blocked ? "Unblock the bot" : "Block the bot";
  $("speaker-label").hidden = !chat || Boolean(person);
  const chosen = $("speaker").value;
  $("speaker").replaceChildren(...state.users.map((one) => node("option", { value: one.id }, one.first_name)));
  if (chosen) $("speaker").value = chosen;
}

function open(chatId) {
  state.current = chatId;
  shown.clear();
  $("messages").replaceChildren();
  showChats();
  return loadMessages();
}

async function say(text) {
  const chat = state.current;
  if (chat === null) return toast("Add a person first.");
  const sent = await attempt(() => api("POST", "/api/say", { chat_id: chat, user_id: speaker(chat), text }));
  $("messages").scrollTop = $("messages").scrollHeight;
  return sent;
}

function fill(text) {
  const input = $("text");
  input.value = input.value ? `${input.value.trimEnd()} ${text} ` : `${text} `;
  input.focus();
}

// ---------------------------------------------------------------- calls

const loadCalls = coalesced(async () => {
  state.calls = (await api("GET", "/api/calls")).calls;
  showCalls();
});

function showCalls() {
  const wanted = state.calls.filter((call) => $("polls").checked || call.method !== "getUpdates");
  const opened = new Set([...document.querySelectorAll("#calls details[open]")].map((one) => one.dataset.place));
  // A call's place in the log is its identity: the log only grows, so what a person opened stays open.
  const rows = wanted.map((call, place) => [call, String(place)]).slice(-60).reverse();
  $("calls").replaceChildren(...rows.map(([call, place]) => node("li", {}, node(
    "details", { "data-place": place, open: opened.has(place) },
    node("summary", { class: call.status === 200 ? "" : "failed" },
      `${call.status ?? "no answer"} ${call.method} ${call.params?.chat_id ?? ""}`),
    node("pre", {}, pretty(call.params)), node("pre", {}, pretty(call.answer)),
  ))));
}

// ---------------------------------------------------------------- events

function listen() {
  const events = new EventSource("/api/events");
  events.onopen = () => {
    $("connection").textContent = "connected";
    loadState();
    loadMessages();
    loadCalls();
  };
  events.onerror = () => { $("connection").textContent = "the server does not answer; trying again…"; };
  events.onmessage = (event) => hear(JSON.parse(event.data));
}

/** An event says what to look at again; the server's own list is the truth. */
function hear(event) {
  if (event.type === "call") loadCalls();
  else if (event.type === "callback_answer") {
    if (event.text) toast(event.text);
  } else {
    loadMessages();
    loadState();
  }
}

// ---------------------------------------------------------------- what a person does

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text && await say(text)) $("text").value = "";
});

$("block").addEventListener("click", () => attempt(async () => {
  await api("POST", user(state.current)?.blocked ? "/api/unblock" : "/api/block", { chat_id: state.current });
  await loadState();
}));

$("new-person").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(async () => {
    const known = new Set(state.users.map((one) => one.id));
    await api("POST", "/api/users", Object.fromEntries(new FormData(form)));
    form.reset();
    await loadState();
    const added = state.users.find((one) => !known.has(one.id));
    if (added) await open(added.id);
  });
});

for (const button of document.querySelectorAll("[data-publish]")) {
  button.addEventListener("click", () => attempt(async () => {
    const story = await api("POST", "/newsroom/publish", { story: button.dataset.publish });
    $("published").replaceChildren("Published: ", link(story.link, [story.title ?? story.link]));
  }));
}

$("faults").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const here = form.has("here") && state.current !== null ? { chat_id: state.current } : {};
  attempt(async () => {
    await api("POST", "/api/faults", { kind: form.get("kind"), ...here });
    $("fault-state").textContent = `On: ${form.get("kind")}${here.chat_id ? ` for chat ${here.chat_id}` : " for all"}.`;
  });
});

$("clear-faults").addEventListener("click", () => attempt(async () => {
  await api("DELETE", "/api/faults");
  $("fault-state").textContent = "No faults.";
}));

$("polls").addEventListener("change", showCalls);

listen();
