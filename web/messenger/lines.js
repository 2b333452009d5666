// What lines of a conversation look like.

const TAGS = new Set(
  "A BLOCKQUOTE BR CODE DEL EM HR LI OL P PRE STRONG SUB SUP TABLE TBODY TD TH THEAD TR UL".split(
    " ",
  ),
);

// Pages that demand Trusted Types allow this name.
const trust = window.trustedTypes
  ? window.trustedTypes.createPolicy("frontdesk", { createHTML: (html) => html })
  : { createHTML: (html) => html };

// The desk has made the HTML safe already. All the same nothing gets into the page but elements
// made here, without any attribute but a link's address.
const safe = (html) => {
  const parsed = new DOMParser().parseFromString(trust.createHTML(html), "text/html");
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (/^(SCRIPT|STYLE)$/.test(node.tagName)) return "";
    const children = [...node.childNodes].map(copy);
    if (!TAGS.has(node.tagName)) return make("span", {}, ...children);
    if (node.tagName !== "A") {
      const start = node.tagName === "OL" ? node.getAttribute("start") : null;
      return make(node.tagName, { start }, ...children);
    }
    const href = node.getAttribute("href") || "";
    return /^(https?:|mailto:|tel:)/i.test(href)
      ? link(href, ...children)
      : make("span", {}, ...children);
  };
  return [...parsed.body.childNodes].map(copy);
};

const link = (href, ...children) =>
  make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);

const webOnly = (url) => /^https?:/i.test(url || "");

const clock = (at) =>
  new Intl.DateTimeFormat(config.locale, { hour: "numeric", minute: "2-digit" }).format(
    new Date(at),
  );

const day = (at) => new Date(at).toDateString();

const dayName = (at) =>
  new Intl.DateTimeFormat(config.locale, { weekday: "long", day: "numeric", month: "long" }).format(
    new Date(at),
  );

const nameOf = (speaker) => {
  if (speaker.kind === "bot") return settings.botName || say("bot");
  if (speaker.kind === "customer") return say("you");
  return speaker.name || say("team");
};

const avatar = (speaker) =>
  make(
    "span",
    { class: "avatar " + speaker.kind, "aria-hidden": "true" },
    speaker.kind === "bot" ? icon(ICONS.chat) : [...nameOf(speaker)][0],
  );

// A message in its bubble; the speaker is named on the first of several in a row.
const bubble = (line) =>
  make(
    "div",
    {
      class: "message " + (line.from.kind === "customer" ? "own" : "other"),
      "data-speaker": line.from.kind + (line.from.name || ""),
    },
    line.from.kind !== "customer" && avatar(line.from),
    make(
      "p",
      { class: "speaker" },
      nameOf(line.from),
      make("time", { datetime: line.at }, clock(line.at)),
    ),
    make("div", { class: "bubble" }, line.text ?? safe(line.html)),
    line.sources && line.sources.length > 0 && sourceList(line.sources),
  );

const sourceList = (sources) =>
  make(
    "div",
    { class: "sources" },
    make("p", {}, say("sources")),
    make(
      "ol",
      {},
      sources.map(({ title, url }) =>
        make("li", {}, webOnly(url) ? link(url, title) : make("span", {}, title)),
      ),
    ),
  );

const EVENTS = {
  handed_off: (line) => say("handed_off", { team: line.team || say("team") }),
  assigned: (line) => say("assigned", { name: line.teammate || say("team") }),
  closed: () => say("closed"),
  reopened: () => say("reopened"),
};

const drawn = (line) => {
  if (line.kind !== "event") return bubble(line);
  const words = Object.hasOwn(EVENTS, line.what) ? EVENTS[line.what](line) : "";
  return make("p", { class: "event", hidden: !words }, make("span", {}, words));
};

// How a message that waits is doing: on its way, waiting for a connection, or refused.
const waitingNote = (message, state) => {
  if (!message.failed) return make("p", { class: "note " + state }, say(state));
  const again = () => {
    changePending((all) =>
      all.map((m) => (m.client_id === message.client_id ? { ...m, failed: undefined } : m)),
    );
    delete message.failed;
    showPending(message);
    deliver();
  };
  const discard = () => {
    changePending((all) => all.filter((m) => m.client_id !== message.client_id));
    removePending(message);
  };
  return make(
    "p",
    { class: "note failed" },
    say("failed") + " ",
    make("button", { type: "button", onclick: again }, say("again")),
    make("button", { type: "button", onclick: discard }, say("discard")),
  );
};
