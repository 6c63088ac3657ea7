// The page: it shows what the server holds and sends what a person does. It decides nothing about Telegram's rules.

import { count, loadState, read, tickClock } from "./chats.js";
import { hearInline, showKeyboard } from "./compose.js";
import { $, alertBox, attempt, chat, speaker, state, toast } from "./core.js";
import { hearCall, loadFaults, reload, showClock, showDesk } from "./desk.js";
import { find, hearMessage, loadMessages, say, threadOf } from "./messages.js";
import { taps } from "./text.js";

Object.assign(taps, {
  command: (text) => say(text),
  hashtag: find,
  start: (parameter) => say(`/start ${parameter}`.trim()),
});

async function refresh() {
  await loadState();
  showDesk();
}

const heard = {
  message(event) {
    hearMessage(event);
    const place = chat(event.chat_id);
    if (place) place.keyboard = event.keyboard;
    if (event.chat_id === state.current?.chat) showKeyboard(event.keyboard);
    if (event.message.from?.is_bot) count(event.chat_id, threadOf(event.message));
  },
  edit: hearMessage,
  delete: hearMessage,
  read,
  call: hearCall,
  faults: loadFaults,
  inline_answer: (event) => attempt(() => hearInline(event)),
  callback_answer(event) {
    // Telegram shows it to who pressed, where they pressed.
    const here = event.chat_id === state.current?.chat && event.user_id === speaker(event.chat_id);
    if (event.text && here) (event.show_alert ? alertBox : toast)(event.text);
  },
  user: refresh,
  chat: refresh,
  clock: refresh,
};

function listen() {
  const events = new EventSource("/api/events");
  events.onopen = async () => {
    $("connection").textContent = "connected";
    const again = Boolean(state.current); // else the state opens the first chat
    await reload();
    showDesk();
    if (again) await attempt(loadMessages);
    document.body.dataset.ready = "true";
  };
  events.onerror = () => { $("connection").textContent = "the server does not answer; trying again…"; };
  events.onmessage = (event) => {
    const happening = JSON.parse(event.data);
    heard[happening.type]?.(happening);
  };
}

for (const button of document.querySelectorAll(".views button")) {
  button.addEventListener("click", () => { document.body.dataset.view = button.dataset.view; });
}
const showView = () => {
  for (const button of document.querySelectorAll(".views button")) {
    button.ariaCurrent = String(button.dataset.view === document.body.dataset.view);
  }
};
new MutationObserver(showView).observe(document.body, { attributeFilter: ["data-view"] });
showView();

setInterval(() => { showClock(); tickClock(); }, 10_000);
listen();
