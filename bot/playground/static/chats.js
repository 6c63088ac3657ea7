// People and chats: who there is, who has news, whose chat is open.

import { $, api, attempt, chat, clock, coalesced, key, node, now, setClock, speaker, state, user } from "./core.js";
import { close, keepDraft, showDraft, showKeyboard } from "./compose.js";
import { find, loadMessages, reply } from "./messages.js";

const ZONES = [
  "Europe/Kyiv", "Europe/London", "Europe/Warsaw", "Europe/Berlin", "America/New_York", "America/Los_Angeles",
  "America/Sao_Paulo", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "UTC",
];
const unread = new Map(); // by key

/** A chat as one line of the list, or a line for each topic of a forum. */
const lines = (one) => [{ chat: one.id, thread: 0, name: one.title },
  ...one.topics.map((topic) => ({ chat: one.id, thread: topic.id, name: `${one.title} › ${topic.name}` }))];

export const loadState = coalesced(async () => {
  Object.assign(state, await api("GET", "/api/state"));
  setClock(state.clock);
  unread.clear();
  for (const one of state.chats) {
    for (const { thread_id: thread, count } of one.unread) unread.set(key(one.id, thread), count);
  }
  const moved = state.moved[state.current?.chat];
  if (moved) {
    state.current.chat = moved;
    await open(moved);
  } else if (!state.current && state.chats.length) await open(state.chats[0].id, 0);
  else showChats();
});

/** Redraw the list and everything that names the open chat. */
export function showChats() {
  const focused = document.activeElement?.dataset?.line;
  $("chats").replaceChildren(...state.chats.flatMap(lines).map((line) => {
    const person = user(line.chat);
    const note = [person ? person.part || person.language_code : chat(line.chat).type.replace("supergroup", "group"), person?.blocked && "blocked"];
    const open_ = state.current?.chat === line.chat && state.current.thread === line.thread;
    return node("li", {}, node("button", {
      type: "button", "data-line": key(line.chat, line.thread), "data-chat": line.chat, "aria-current": String(open_),
      onclick: () => { document.body.dataset.view = "chat"; open(line.chat, line.thread); },
    }, node("span", { class: "name" }, line.name), node("span", { class: "note" }, note.filter(Boolean).join(", ")), badge(line)));
  }));
  if (focused) document.querySelector(`[data-line="${focused}"]`)?.focus();
  showHead();
}

function badge(line) {
  const count = unread.get(key(line.chat, line.thread)) ?? 0;
  return node("span", { class: "unread", hidden: !count }, String(count), node("span", { class: "unseen" }, " unread"));
}

function showHead() {
  const here = state.current && chat(state.current.chat);
  const person = here && user(here.id);
  $("chat-title").textContent = here ? lines(here).find((line) => line.thread === state.current.thread)?.name ?? here.title : "No chat yet";
  $("block").hidden = !person;
  $("block").textContent = person?.blocked ? "Unblock the bot" : "Block the bot";
  $("speaker-label").hidden = !here || Boolean(person);
  const chosen = $("speaker").value || here?.admins?.[0];
  $("speaker").replaceChildren(...state.users.map((one) => node("option", { value: one.id }, one.first_name)));
  if (chosen) $("speaker").value = chosen;
  showKeyboard(here?.keyboard);
  showPerson(person);
  tickClock();
}

function showPerson(person) {
  const form = $("person");
  form.hidden = !person;
  if (!person) return;
  $("person-name").textContent = person.first_name;
  const zones = ZONES.includes(person.time_zone) ? ZONES : [...ZONES, person.time_zone];
  form.time_zone.replaceChildren(...zones.map((zone) => node("option", { value: zone }, zone)));
  form.time_zone.value = person.time_zone;
  const known = [...form.language_code.options].some((option) => option.value === person.language_code);
  if (!known) form.language_code.append(node("option", { value: person.language_code }, person.language_code));
  form.language_code.value = person.language_code;
}

/** The time on the open chat's clock. */
export function tickClock() {
  const person = state.current && user(speaker(state.current.chat));
  $("chat-clock").textContent = person ? `${clock(now())} ${person.time_zone.split("/").at(-1).replaceAll("_", " ")}` : "";
}

export async function open(chatId, thread = 0) {
  close();
  keepDraft();
  const here = state.current = { chat: chatId, thread };
  showDraft();
  $("messages").setAttribute("aria-busy", "true"); // until then it shows another chat
  reply(null);
  find("");
  showChats();
  await attempt(loadMessages);
  if (state.current === here) $("messages").setAttribute("aria-busy", "false");
  seen();
}

/** The open chat has been looked at. */
const seen = coalesced(async () => {
  if (!state.current || document.hidden) return;
  const { chat: chatId, thread } = state.current;
  if (!unread.get(key(chatId, thread))) return;
  setUnread(chatId, thread, 0);
  await api("POST", "/api/read", { chat_id: chatId, thread_id: thread });
});
document.addEventListener("visibilitychange", seen);

function setUnread(chatId, thread, count) {
  unread.set(key(chatId, thread), count);
  const line = document.querySelector(`[data-line="${key(chatId, thread)}"] .unread`);
  line?.replaceWith(badge({ chat: chatId, thread }));
}

/** A message of the bot came to a chat. */
export function count(chatId, thread) {
  setUnread(chatId, thread, (unread.get(key(chatId, thread)) ?? 0) + 1);
  if (state.current?.chat === chatId && state.current.thread === thread) seen();
}

/** Somebody, perhaps on another page, has looked. */
export const read = (event) => setUnread(event.chat_id, event.thread_id, 0);

// ---------------------------------------------------------------- what a person does

export const toggleBlock = () => attempt(async () => {
  await api("POST", user(state.current.chat)?.blocked ? "/api/unblock" : "/api/block", { chat_id: state.current.chat });
  await loadState();
});
$("block").addEventListener("click", toggleBlock);
$("speaker").addEventListener("change", tickClock);

$("person").addEventListener("change", (event) => attempt(async () => {
  const { name, value } = event.target;
  await api("POST", "/api/users/change", { user_id: state.current.chat, [name]: value });
  await loadState();
  await loadMessages(); // every time is another one
}));

/** Make something, and open what was made. */
const adding = (form, make) => form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const id = await make(new FormData(form));
    form.reset();
    await loadState();
    await open(id);
  });
});
adding($("new-person"), async (form) => (await api("POST", "/api/users", Object.fromEntries(form))).id);
adding($("new-group"), async (form) => {
  const forum = form.has("forum");
  const admin = speaker(state.current?.chat) ?? state.users[0]?.id;
  const { id } = await api("POST", "/api/groups", { title: form.get("title"), forum, admin });
  if (forum) await api("POST", "/api/topics", { chat_id: id, name: "News" });
  return id;
});
