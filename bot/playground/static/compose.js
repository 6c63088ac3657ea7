// Writing: the field, the menu of commands, completion of "/", and results of inline mode.

import { $, api, attempt, key, node, speaker, state } from "./core.js";
import { say } from "./messages.js";

const field = $("text");
const offers = $("offers");
let active = -1;
let asked = null; // id of the inline query that waits for its answer

// ---------------------------------------------------------------- what is offered

/** Show offers: [{label, about, choose}]. */
function offer(list) {
  active = -1;
  offers.replaceChildren(...list.map((one, place) => node("div", {
    role: "option", id: `offer-${place}`, "aria-selected": "false", onclick: () => { close(); one.choose(); },
  }, node("b", {}, one.label), " ", node("span", { class: "note" }, one.about))));
  const any = list.length > 0;
  offers.hidden = !any;
  field.ariaExpanded = String(any);
  $("menu").ariaExpanded = String(any);
  field.removeAttribute("aria-activedescendant");
}

export const close = () => offer([]);

function move(step) {
  const options = [...offers.children];
  options[active]?.setAttribute("aria-selected", "false");
  active = (active + step + options.length) % options.length;
  options[active].setAttribute("aria-selected", "true");
  options[active].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", options[active].id);
}

async function commands() {
  const { chat } = state.current;
  return (await api("GET", `/api/commands?chat_id=${chat}&user_id=${speaker(chat) ?? chat}`)).commands;
}

const complete = (name) => () => {
  field.value = `/${name} `;
  field.focus();
};

/** The menu: a tap sends, as in Telegram. */
$("menu").addEventListener("click", () => attempt(async () => {
  if (!offers.hidden) return close();
  const here = state.current;
  const list = await commands();
  if (state.current !== here) return undefined;
  offer(list.map(({ command, description }) => ({ label: `/${command}`, about: description, choose: () => say(`/${command}`) })));
  field.focus();
  return undefined;
}));

field.addEventListener("input", () => attempt(async () => {
  const typed = field.value;
  const inline = typed.startsWith(`@${state.bot.username} `);
  if (inline) return ask(typed.slice(state.bot.username.length + 2));
  asked = null;
  if (!/^\/[a-z_0-9]*$/.test(typed)) return close();
  const list = (await commands()).filter(({ command }) => `/${command}`.startsWith(typed));
  if (field.value !== typed) return undefined;
  return offer(list.map(({ command, description }) => ({ label: `/${command}`, about: description, choose: complete(command) })));
}));

field.addEventListener("keydown", (event) => {
  if (offers.hidden) return;
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Escape") close();
  else if ((event.key === "Tab" || event.key === "Enter") && active >= 0) offers.children[active].click();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (!offers.hidden && !event.target.closest("#offers, #menu, #text")) close();
});

// ---------------------------------------------------------------- drafts

const drafts = new Map(); // by chat and thread
const place = () => (state.current ? key(state.current.chat, state.current.thread) : "");

/** The open chat is left: what is written there waits for its return. */
export function keepDraft() {
  drafts.set(place(), field.value);
  asked = null;
}

export function showDraft() {
  field.value = drafts.get(place()) ?? "";
}

/** What was sent is no draft any more, wherever the person is by now. */
function sent(from, text) {
  if (from !== place()) drafts.delete(from);
  else if (field.value.trim() === text) field.value = "";
}

// ---------------------------------------------------------------- inline mode

async function ask(query) {
  const from = place();
  const { id } = await api("POST", "/api/inline", { user_id: speaker(state.current.chat), query });
  if (from !== place()) return;
  asked = id;
  await hearInline({ id: asked }); // the answer may have come before the id
}

/** An inline query was answered. */
export async function hearInline(event) {
  if (event.id !== asked) return;
  const { answer } = await api("GET", `/api/inline?id=${asked}`);
  if (!answer.results || event.id !== asked) return;
  const query = asked;
  const send = (result) => attempt(async () => {
    const { chat } = state.current;
    await api("POST", "/api/inline/choose", { id: query, result_id: result.id, chat_id: chat, user_id: speaker(chat) });
    field.value = "";
  });
  offer(answer.results.map((result) => ({ label: result.title, about: result.description, choose: () => send(result) })));
}

// ---------------------------------------------------------------- buttons below the field

/** Where a person is who shows it: the middle of Kyiv. */
const PLACE = { latitude: 50.45, longitude: 30.523 };

/** The keyboard that the bot has put below the field of the open chat. */
export function showKeyboard(rows) {
  const press = (button) => (button.request_location
    ? attempt(() => api("POST", "/api/location", { chat_id: state.current.chat, ...PLACE }))
    : say(button.text ?? button));
  const key = (button) => node("button", { type: "button", onclick: () => press(button) }, button.text ?? button);
  $("keyboard").hidden = !rows?.length;
  $("keyboard").replaceChildren(...(rows ?? []).map((row) => node("div", {}, ...row.map(key))));
}

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = field.value.trim();
  const from = place();
  close();
  if (text && await say(text)) sent(from, text);
});
