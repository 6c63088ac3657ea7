// The messages of the open chat: drawn once, changed in place, never re-read while events come.

import { $, api, attempt, clock, node, speaker, state, toast } from "./core.js";
import { firstLink, formatted, link, outerFirst } from "./text.js";

const AT_ONCE = 200; // messages that are drawn together
const shown = new Map(); // message_id -> node, of the open chat and thread
const older = new Map(); // message_id -> message: those before, oldest first, which are not drawn yet
let early = null; // events that came while the chat was being read
let wanted = ""; // a hashtag that is looked for

/** A message's thread: a topic's id, or 0. */
export const threadOf = (message) => (message.forum_topic_created
  ? message.message_id
  : (message.is_topic_message && message.message_thread_id) || 0);

const here = (message) => state.current?.chat === message.chat.id && state.current.thread === threadOf(message);

// ---------------------------------------------------------------- one message

/** What Telegram itself says; null for what somebody wrote. */
function service(message) {
  if (message.forum_topic_created) return `Topic “${message.forum_topic_created.name}”`;
  return message.migrate_to_chat_id || message.migrate_from_chat_id ? "The group became a supergroup" : null;
}

function bubble(message) {
  const told = service(message);
  if (told) return node("li", { class: "service", "data-message-id": message.message_id }, told);
  const text = message.text ?? message.caption ?? "";
  const entities = [...(message.entities ?? message.caption_entities ?? [])].sort(outerFirst);
  const body = node("div", { class: "bubble" });
  body.append(node("div", { class: "from" }, message.from?.first_name ?? message.chat.title ?? "channel"));
  if (message.via_bot) body.append(node("div", { class: "note" }, `via @${message.via_bot.username}`));
  if (message.reply_to_message) body.append(quote(message.reply_to_message));
  if (message.photo) body.append(photo(message.photo.at(-1)));
  if (message.document) body.append(node("div", { class: "file" }, "File: ", message.document.file_name ?? "file"));
  if (message.location) body.append(node("div", { class: "file" }, `Location: ${message.location.latitude}, ${message.location.longitude}`));
  body.append(node("div", { class: "text", dir: "auto" }, ...formatted(text, entities)));
  const address = message.link_preview_options?.is_disabled ? null : firstLink(text, entities);
  if (address && message.text) body.append(preview(message.link_preview_options?.url ?? address));
  body.append(about(message));
  const mine = message.from && !message.from.is_bot;
  const item = node("li", {
    class: mine ? "message mine" : "message", "data-message-id": message.message_id, tabindex: "-1",
  }, body);
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (rows.length) item.append(keyboard(message, rows));
  item.hidden = Boolean(wanted) && !tagsOf(message).includes(wanted);
  item.message = message;
  return item;
}

const quote = (message) => node("blockquote", { class: "quote" },
  node("span", { class: "from" }, message.from?.first_name ?? ""), " ", (message.text ?? message.caption ?? "photo").slice(0, 80));

const photo = (size) => node("img", {
  class: "photo", src: `/api/photo?id=${encodeURIComponent(size.file_id)}`, alt: "Photo", width: size.width, height: size.height,
});

function about(message) {
  const time = node("time", { datetime: new Date(message.date * 1000).toISOString(), title: clock(message.date, true) }, clock(message.date));
  const sound = message.from?.is_bot ? (message.silent ? "silent · " : "loud · ") : "";
  return node("span", { class: "time" }, sound, message.edit_date ? "edited " : "", time);
}

/** What a link shows. Only pages of this server are asked; of others there is the address. */
function preview(address) {
  const url = new URL(address);
  const site = node("div", { class: "from" }, url.hostname);
  const card = link(address, [site], { class: "preview" });
  if (url.host !== location.host) return card;
  attempt(async () => {
    const { preview: page } = await api("GET", `/api/preview?path=${encodeURIComponent(url.pathname)}`);
    if (page) card.replaceChildren(node("div", { class: "from" }, page.site), node("b", {}, page.title), node("div", {}, page.description));
  });
  return card;
}

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

// ---------------------------------------------------------------- the list

/** Read the open chat anew. */
export async function loadMessages() {
  const { chat, thread } = state.current;
  early = [];
  const { messages } = await api("GET", `/api/messages?chat_id=${chat}`);
  if (chat !== state.current.chat || thread !== state.current.thread) return;
  const waiting = early ?? [];
  early = null;
  show(messages.filter(here));
  waiting.forEach((event) => hearMessage(event)); // they may be newer than what was read
}

let following = true; // a person at the end stays there: a new message comes into view

/** Twice: what comes into view is laid out only then, and may be higher than it was thought to be. */
function toEnd() {
  const list = $("messages");
  const go = () => { list.scrollTop = list.scrollHeight; };
  following = true;
  go();
  requestAnimationFrame(() => { go(); requestAnimationFrame(go); });
}
$("messages").addEventListener("wheel", () => { following = false; }, { passive: true });
$("messages").addEventListener("touchmove", () => { following = false; }, { passive: true });
$("messages").addEventListener("scroll", () => {
  const list = $("messages");
  if (list.scrollHeight - list.scrollTop - list.clientHeight < 80) following = true;
  else if (list.scrollTop < list.clientHeight) drawEarlier();
}, { passive: true });
new ResizeObserver(() => { if (following) toEnd(); }).observe($("messages"));

function show(messages) {
  const list = $("messages");
  list.ariaBusy = "true"; // what was there before is not read out
  shown.clear();
  older.clear();
  for (const message of messages.slice(0, -AT_ONCE)) older.set(message.message_id, message);
  list.replaceChildren(earlier, ...messages.slice(-AT_ONCE).map(draw));
  showEarlier();
  if (messages.every(service)) list.append(emptyChat());
  toEnd();
  requestAnimationFrame(() => { list.ariaBusy = "false"; });
}

function draw(message) {
  const made = bubble(message);
  shown.set(message.message_id, made);
  return made;
}

const earlier = node("li", { class: "earlier" }, node("button", { type: "button", onclick: () => {
  const first = items()[0];
  drawEarlier();
  (first?.previousElementSibling ?? $("messages")).focus(); // the button may be gone
} }));

function showEarlier() {
  earlier.hidden = !older.size;
  earlier.firstChild.textContent = `Earlier messages (${older.size})`;
}

/** Draw the newest of those that are not drawn yet; what is in view stays where it is. */
function drawEarlier(count = AT_ONCE) {
  if (!older.size) return;
  const list = $("messages");
  const below = list.scrollHeight - list.scrollTop;
  const next = [...older.values()].slice(-count);
  for (const message of next) older.delete(message.message_id);
  list.ariaBusy = "true"; // what is old is not read out
  earlier.after(...next.map(draw));
  showEarlier();
  list.scrollTop = list.scrollHeight - below;
  requestAnimationFrame(() => { list.ariaBusy = "false"; });
}

/** What happened to a message; whether it concerns what is shown. */
export function hearMessage(event) {
  if (event.type === "delete") {
    if (event.chat_id !== state.current?.chat) return false;
    early?.push(event);
    for (const id of event.message_ids) {
      shown.get(id)?.remove();
      shown.delete(id);
      older.delete(id);
    }
    showEarlier();
    return true;
  }
  if (!here(event.message)) return false;
  early?.push(event);
  if (!early) put(event.message);
  return true;
}

function put(message) {
  if (older.has(message.message_id)) {
    older.set(message.message_id, message);
    return;
  }
  const old = shown.get(message.message_id);
  const made = draw(message);
  $("messages").querySelector(".empty")?.remove();
  if (old) replaceKeepingFocus(old, made);
  else $("messages").append(made);
  if (following) toEnd();
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

// ---------------------------------------------------------------- what a person does

let answered = null;

/** Send a text as whoever speaks in the open chat. */
export async function say(text) {
  if (!state.current) return toast("Add a person first.");
  const { chat, thread } = state.current;
  const body = { chat_id: chat, user_id: speaker(chat), text, thread_id: thread || null, reply_to: answered };
  reply(null);
  const sent = await attempt(() => api("POST", "/api/say", body));
  toEnd();
  return sent;
}

/** Answer a message with what is sent next; null: no longer. */
export function reply(message) {
  answered = message?.message_id ?? null;
  $("replying").hidden = !message;
  if (!message) return;
  const stop = node("button", { type: "button", onclick: endReply }, "Do not reply");
  $("replying").replaceChildren(`Reply to: ${(message.text ?? message.caption ?? "photo").slice(0, 60)} `, stop);
  $("text").focus();
}

function endReply() {
  reply(null);
  $("text").focus();
}
document.addEventListener("keydown", (event) => {
  // Whoever closed something else by it (a menu, an alert) has not ended the reply.
  if (event.key === "Escape" && answered !== null && !event.defaultPrevented && !$("alert").open) endReply();
});

const tagsOf = (message) => {
  const text = message.text ?? message.caption ?? "";
  return (message.entities ?? message.caption_entities ?? [])
    .filter((entity) => entity.type === "hashtag")
    .map((entity) => text.slice(entity.offset, entity.offset + entity.length).toLowerCase());
};

/** Show what bears a hashtag alone, as a tap on it does in Telegram; "" shows everything. */
export function find(tag) {
  wanted = tag.toLowerCase();
  if (wanted) drawEarlier(older.size); // it may stand anywhere
  let count = 0;
  for (const item of shown.values()) {
    item.hidden = Boolean(wanted) && !(item.message && tagsOf(item.message).includes(wanted));
    count += !item.hidden;
  }
  $("found").hidden = !wanted;
  if (!wanted) return;
  const all = node("button", { type: "button", onclick: () => { find(""); $("text").focus(); } }, "Show all");
  $("found").replaceChildren(`${count} with ${tag} `, all);
}

/** The messages to see, in their order. */
const items = () => [...$("messages").querySelectorAll("[data-message-id]")].filter((item) => !item.hidden);

$("messages").addEventListener("keydown", (event) => {
  const focused = event.target.closest("[data-message-id]");
  if (event.key === "ArrowUp" && focused && focused === items()[0]) drawEarlier();
  const all = items();
  const at = all.indexOf(focused);
  const to = { ArrowUp: at < 0 ? all.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined && all[to]) {
    event.preventDefault();
    following = to === all.length - 1;
    all[to].focus();
  } else if (event.code === "KeyR" && at >= 0 && !event.ctrlKey && !event.metaKey && !event.altKey) { // in any layout
    event.preventDefault();
    reply(focused.message);
  }
});

$("messages").addEventListener("dblclick", (event) => {
  const item = event.target.closest("li.message");
  if (item && !event.target.closest("button, a")) reply(item.message);
});
