// Text with entities, as nodes. Nothing here parses markup: what a message holds only ever becomes text.

import { node, state } from "./core.js";

/** What a tap does; the page sets these. */
export const taps = { command: () => {}, hashtag: () => {}, start: () => {} };

/** DOM nodes for text[start, end). Offsets are UTF-16 units, as Telegram's are, and so are a JavaScript string's. */
export function formatted(text, entities, start = 0, end = text.length) {
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

export const outerFirst = (a, b) => a.offset - b.offset || b.length - a.length;

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
    case "bot_command": return inline(children, `Send ${raw}`, () => taps.command(raw));
    case "hashtag": return inline(children, `Find ${raw} in this chat`, () => taps.hashtag(raw));
    default: return node("span", { class: entity.type }, ...children);
  }
}

const inline = (children, title, onclick) => node("button", { type: "button", class: "inline", title, onclick }, ...children);

/** The address when it is one a browser may open from a message, else null (no javascript:, data: and the like). */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, children, attributes = {}) {
  const href = safeUrl(address);
  if (!href) return node("span", { title: address, ...attributes }, ...children);
  const made = node("a", { href, target: "_blank", rel: "noopener noreferrer", title: href, ...attributes }, ...children);
  const url = new URL(href);
  // A deep link to this bot opens no browser in Telegram either: it sends /start with its parameter.
  if (url.hostname === "t.me" && url.pathname === `/${state.bot.username}` && url.searchParams.has("start")) {
    made.addEventListener("click", (event) => {
      event.preventDefault();
      taps.start(url.searchParams.get("start"));
    });
  }
  return made;
}

/** The first address of a text, which Telegram previews; null where there is none. */
export function firstLink(text, entities) {
  for (const entity of entities) {
    if (entity.type === "text_link" && safeUrl(entity.url)) return entity.url;
    if (entity.type === "url") return safeUrl(text.slice(entity.offset, entity.offset + entity.length));
  }
  return null;
}
