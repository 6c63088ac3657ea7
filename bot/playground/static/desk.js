// The right side: newsroom, clock, faults, and the log of calls.

import { $, api, attempt, coalesced, framed, node, now, setClock, state, user } from "./core.js";
import { loadState, open, showChats, toggleBlock } from "./chats.js";
import { link } from "./text.js";

const SHOWN_CALLS = 60;
const KEPT_CALLS = 300;

// ---------------------------------------------------------------- newsroom and clock

export function showDesk() {
  $("newsroom").hidden = !state.newsroom;
  const staff = state.users.filter((one) => ["publisher", "editor", "admin"].includes(one.part));
  const chosen = $("author").value || staff.find((one) => one.part === "publisher")?.id;
  $("author").replaceChildren(...staff.map((one) => node("option", { value: one.id }, one.first_name)));
  if (chosen) $("author").value = chosen;
  showClock();
  showSwitches();
}

export function showClock() {
  const ahead = Math.round(state.clock.ahead_s / 3600);
  $("clock").textContent = `${new Date(now() * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC${ahead ? `, ${ahead} h ahead` : ""}`;
}

for (const button of document.querySelectorAll("[data-publish]")) {
  button.addEventListener("click", () => attempt(async () => {
    const story = await api("POST", "/newsroom/publish", { story: button.dataset.publish });
    $("published").replaceChildren("Published: ", link(story.link, [story.title ?? story.link]));
  }));
}

$("hot").addEventListener("submit", (event) => {
  event.preventDefault();
  const author = Number($("author").value);
  const text = event.target.elements.text.value;
  attempt(async () => {
    await open(author);
    document.body.dataset.view = "chat";
    await api("POST", "/api/say", { chat_id: author, text: `/broadcast ${text}` });
  });
});

$("turn").addEventListener("click", () => attempt(async () => {
  setClock(await api("POST", "/api/clock", { seconds: 8 * 3600 }));
  showClock();
  showChats();
}));

// ---------------------------------------------------------------- faults

let faults = [];

export const loadFaults = coalesced(async () => {
  faults = (await api("GET", "/api/faults")).faults;
  showSwitches();
});

function showSwitches() {
  for (const one of document.querySelectorAll("[data-fault]")) {
    const kind = one.dataset.fault;
    const blocked = user(state.current?.chat)?.blocked ?? false;
    one.ariaChecked = String(kind === "block" ? blocked : faults.some((fault) => fault.kind === kind));
    if (kind === "block") one.disabled = !user(state.current?.chat);
  }
  const named = faults.map((fault) => (fault.chat_id ? `${fault.kind} in chat ${fault.chat_id}` : `${fault.kind} for all`));
  $("fault-state").textContent = named.length ? `On: ${named.join(", ")}.` : "No faults.";
}
export { showSwitches };

for (const one of document.querySelectorAll("[data-fault]")) {
  one.addEventListener("click", () => attempt(async () => {
    const kind = one.dataset.fault;
    if (kind === "block") return toggleBlock();
    if (one.ariaChecked === "true") return api("DELETE", "/api/faults", { kind });
    const here = $("here").checked && kind !== "outage" ? { chat_id: state.current?.chat } : {};
    return api("POST", "/api/faults", { kind, ...here });
  }));
}

// ---------------------------------------------------------------- calls

let calls = [];

export const loadCalls = coalesced(async () => {
  calls = (await api("GET", `/api/calls?last=${KEPT_CALLS}`)).calls;
  showCalls();
});

export function hearCall(event) {
  calls.push(event.call);
  if (calls.length > KEPT_CALLS) calls = calls.slice(-KEPT_CALLS);
  showCalls();
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "");

const showCalls = framed(() => {
  const wanted = calls.filter((call) => !$("refused").checked || call.status !== 200).slice(-SHOWN_CALLS).reverse();
  const list = $("calls");
  const known = new Map([...list.children].map((item) => [item.dataset.call, item]));
  // What is shown already stays: a person may have opened it.
  list.replaceChildren(...wanted.map((call) => known.get(String(call.id)) ?? row(call)));
});

const row = (call) => node("li", { "data-call": call.id }, node("details", {},
  node("summary", { class: call.status === 200 ? "" : "failed" },
    `${call.status} ${call.method} ${call.params?.chat_id ?? ""} ${call.answer.description ?? ""}`),
  node("pre", {}, pretty(call.params)), node("pre", {}, pretty(call.answer))));

$("refused").addEventListener("change", showCalls);

export const reload = () => Promise.all([loadState(), loadFaults(), loadCalls()]);
