// What the page says, what is remembered between pages, and small tools.

const script = document.currentScript;
if (!script || (window.Frontdesk && window.Frontdesk.open)) return;

// data- attributes of the script tag, under them what window.Frontdesk holds.
const settings = { ...script.dataset, ...window.Frontdesk };
const base = (settings.url || script.src).split("?")[0].replace(/\/(messenger\.js)?$/, "");
const wantedLocale = () =>
  settings.locale || document.documentElement.lang || navigator.language || "en";

// Filled by the desk before anything is shown: texts, locale, people, bot, longest_text.
let config = { texts: {} };

const say = (key, slots = {}) => {
  const text = (settings.texts && settings.texts[key]) || config.texts[key] || "";
  return text.replace(/\{(\w+)\}/g, (slot, name) => slots[name] ?? slot);
};

// One record for this desk. Where the browser forbids storage, it lives as long as the page.
const storageKey = "frontdesk:" + base;
let memory = null;
const remembered = () => {
  if (memory) return memory;
  try {
    return JSON.parse(localStorage.getItem(storageKey)) || {};
  } catch {
    return (memory = {});
  }
};
const remember = (change) => {
  const all = { ...remembered(), ...change };
  try {
    if (!memory) return localStorage.setItem(storageKey, JSON.stringify(all));
  } catch {}
  memory = all;
};

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

// Waits that end early when there is hope again.
const wakers = new Set();
const pause = (ms) =>
  new Promise((done) => {
    const wake = () => {
      clearTimeout(timer);
      wakers.delete(wake);
      done();
    };
    const timer = setTimeout(wake, ms);
    wakers.add(wake);
  });
const wake = () => wakers.forEach((end) => end());
const backoff = (n_tries) => Math.min(30000, 500 * 2 ** n_tries) * (0.5 + Math.random() / 2);

// Makes an element: attributes by name, on… as listeners, then its children.
const make = (tag, attributes = {}, ...children) => {
  const svg = tag === "svg" || tag === "path";
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
};

const icon = (path) =>
  make(
    "svg",
    { viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true", focusable: "false" },
    make("path", { d: path }),
  );

const ICONS = {
  chat: "M12 3C6.9 3 3 6.6 3 11.2c0 2.3 1 4.3 2.6 5.8L5 21l4.2-1.9c.9.2 1.8.3 2.8.3 5.1 0 9-3.6 9-8.2S17.1 3 12 3Z",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9.5l6 6 6-6",
  send: "M12 19V5M5.5 11.5L12 5l6.5 6.5",
  list: "M4 7h16M4 12h16M4 17h10",
  add: "M12 5v14M5 12h14",
  article: "M7 3.5h7l4 4V20.5H7zM13.5 3.5V8H18M10 12.5h5M10 16h5",
  back: "M14.5 6l-6 6 6 6",
};
