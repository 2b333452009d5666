// The launcher and the panel: what is where, and what happens when somebody uses it.

const parts = {};
let isOpen = false;

const button = (name, picture, onclick, more = {}) =>
  make(
    "button",
    {
      type: "button",
      class: "icon " + name,
      "aria-label": say(name),
      title: say(name),
      onclick,
      ...more,
    },
    icon(ICONS[picture]),
  );

const build = () => {
  parts.badge = make("span", { class: "badge", hidden: true });
  parts.launcher = make(
    "button",
    {
      type: "button",
      class: "launcher",
      "aria-expanded": "false",
      "aria-controls": "panel",
      "aria-label": settings.label || say("open"),
      onclick: () => (isOpen ? close() : open()),
    },
    icon(ICONS.chat),
    icon(ICONS.down),
    settings.label && make("span", { class: "label" }, settings.label),
    parts.badge,
  );
  parts.list = make("div", { class: "list", hidden: true });
  parts.log = make("div", {
    class: "log",
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    "aria-label": say("conversation"),
    tabindex: "0",
  });
  parts.banner = make("p", { class: "banner", role: "status", hidden: true });
  parts.typing = make("div", { class: "typing", role: "status" });
  parts.after = make("div", { class: "after" });
  parts.scroll = make("div", { class: "scroll" }, parts.log, parts.typing, parts.after);
  parts.history = button("conversations", "list", showList, { hidden: true });
  parts.anew = button("new_conversation", "add", () => (startAnew(), showTalk(), focusInput()), {
    hidden: true,
  });
  parts.status = make("p", { class: "expect" });
  parts.panel = make(
    "section",
    {
      id: "panel",
      class: "panel",
      role: "dialog",
      "aria-labelledby": "title",
      hidden: true,
      onkeydown: onKey,
    },
    make(
      "header",
      {},
      make(
        "div",
        { class: "who" },
        make("h2", { id: "title" }, settings.title || say("title")),
        parts.status,
      ),
      parts.history,
      parts.anew,
      button("close", "close", close),
    ),
    parts.banner,
    parts.list,
    parts.scroll,
    buildComposer(),
  );
  return [parts.panel, parts.launcher];
};

const buildComposer = () => {
  parts.suggestions = make("div", { class: "suggestions", hidden: true });
  parts.input = make("textarea", {
    rows: 1,
    maxlength: config.longest_text,
    placeholder: say("write"),
    "aria-label": say("write"),
    enterkeyhint: "send",
    oninput: onInput,
    onkeydown: onEnter,
  });
  parts.send = button("send", "send", submit, { disabled: true });
  return (parts.composer = make(
    "form",
    { class: "composer", onsubmit: (event) => (event.preventDefault(), submit()) },
    parts.suggestions,
    make("div", { class: "field" }, parts.input, parts.send),
  ));
};

// Opened by itself, it leaves the focus where it is.
const open = (byItself) => {
  if (isOpen) return;
  isOpen = true;
  remember({ open: true });
  parts.panel.hidden = false;
  parts.launcher.setAttribute("aria-expanded", "true");
  root.host.dataset.open = "";
  markSeen();
  scrollDown(true);
  if (byItself !== true) focusInput();
  if (identified() || remembered().token) visit().then(welcomeBack, () => connection(false));
};

const close = () => {
  if (!isOpen) return;
  isOpen = false;
  remember({ open: false });
  parts.panel.hidden = true;
  parts.launcher.setAttribute("aria-expanded", "false");
  delete root.host.dataset.open;
  parts.launcher.focus();
};

const isPhone = () => matchMedia("(max-width: 480px)").matches;
const focusInput = () => parts.input.focus({ preventScroll: true });

const onKey = (event) => {
  if (event.key === "Escape") return (event.stopPropagation(), close());
  if (event.key !== "Tab" || !isPhone()) return;
  // On a phone the panel covers the page, so the focus stays inside.
  const all = [
    ...parts.panel.querySelectorAll("button, a[href], textarea, input, [tabindex='0']"),
  ].filter((element) => !element.disabled && element.getClientRects().length);
  const edge = event.shiftKey ? all[0] : all[all.length - 1];
  if (root.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all[all.length - 1] : all[0]).focus();
};

const onEnter = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
};

let typedTimer = 0;
const onInput = () => {
  parts.send.disabled = !parts.input.value.trim();
  parts.input.style.height = "auto";
  parts.input.style.height = Math.min(parts.input.scrollHeight, 140) + "px";
  clearTimeout(typedTimer);
  typedTimer = setTimeout(suggest, 350);
};

// Articles for what is being typed, while nobody but the bot would read it.
const suggest = async () => {
  const text = parts.input.value.trim();
  const alone = !talk.standing || talk.standing.with.kind === "bot";
  let articles = [];
  if (text.length >= 8 && alone && settings.suggestions !== "off") {
    const asked = { text, locale: config.locale };
    ({ articles } = await call("POST", "/suggestions", asked).catch(() => ({ articles: [] })));
  }
  if (parts.input.value.trim() !== text) return;
  const items = articles.filter(({ url }) => webOnly(url));
  parts.suggestions.hidden = !items.length;
  parts.suggestions.replaceChildren(
    make("p", { id: "suggested" }, say("suggestions")),
    make(
      "ul",
      { "aria-labelledby": "suggested" },
      items.map(({ title, url }) =>
        make("li", {}, link(url, icon(ICONS.article), make("span", {}, title))),
      ),
    ),
  );
};

const submit = () => {
  const text = parts.input.value.trim();
  if (!text) return;
  parts.input.value = "";
  onInput();
  parts.suggestions.hidden = true;
  send(text);
  focusInput();
};

// Everything anew: another conversation, or the first look.
const showAll = () => {
  if (!parts.log) return;
  parts.log.replaceChildren(greeting());
  parts.after.replaceChildren();
  [...talk.lines.values()].forEach(showLine);
  pending()
    .filter((message) => message.to === talk.id)
    .forEach((message) => showPending(message));
  showStanding();
};

const greeting = () =>
  bubble({
    from: { kind: "bot" },
    at: new Date().toISOString(),
    text: settings.greeting || say("greeting"),
  });

const showLine = (line) => {
  const waiting =
    line.client_id && parts.log.querySelector("[data-waits='" + line.client_id + "']");
  const element = waiting || drawn(line);
  const first = parts.log.querySelector("[data-waits]");
  const before = lastShown();
  if (
    before &&
    line.kind !== "event" &&
    before.dataset.speaker === element.dataset.speaker &&
    before.dataset.day === day(line.at)
  )
    element.classList.add("again");
  else if (!before || (before.dataset.day && before.dataset.day !== day(line.at)))
    showDay(line.at, waiting || first);
  element.dataset.day = day(line.at);
  delete element.dataset.waits;
  element.dataset.number = line.number;
  // What is there already is not announced again.
  if (waiting) waiting.querySelector(".note").remove();
  if (!waiting || waiting !== first) parts.log.insertBefore(element, first);
  scrollDown(line.kind === "own");
};

const lastShown = () => [...parts.log.querySelectorAll("[data-number]")].pop();

const showDay = (at, before) => {
  if (day(at) !== day(Date.now()) || talk.lines.size > 1)
    parts.log.insertBefore(
      make("p", { class: "event day" }, make("span", {}, dayName(at))),
      before,
    );
};

const showPending = (message, state = "sending") => {
  if (message.to !== talk.id) return;
  const note = waitingNote(message, state);
  const shown = parts.log.querySelector("[data-waits='" + message.client_id + "']");
  if (shown) return shown.querySelector(".note").replaceWith(note);
  const speaker = { kind: "customer" };
  const element = bubble({ from: speaker, at: message.at, kind: "own", text: message.text });
  element.dataset.waits = message.client_id;
  element.append(note);
  parts.log.append(element);
  parts.after.replaceChildren();
  scrollDown(true);
};

const removePending = (message) => {
  const old = parts.log.querySelector("[data-waits='" + message.client_id + "']");
  if (old) old.remove();
};

const showStanding = () => {
  const { standing } = talk;
  parts.anew.hidden = !talk.lines.size && !standing;
  parts.history.hidden = !visitor.verified;
  parts.status.replaceChildren(...expectations());
  const typing = standing && standing.typing;
  const name = nameOf({ kind: "bot" });
  parts.typing.replaceChildren(
    ...(typing
      ? [
          avatar({ kind: "bot" }),
          make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")),
          make("span", { class: "hidden" }, say("typing", { name })),
        ]
      : []),
  );
  showAfter();
  scrollDown();
};

// What is below the last line: buttons to choose from, or the question how it went.
const showAfter = () => {
  const last = [...talk.lines.values()].pop();
  const { standing } = talk;
  const waits = pending().some((message) => message.to === talk.id);
  const buttons =
    last && standing && standing.status !== "closed" && !waits ? last.buttons || [] : [];
  if (standing && standing.ratable && !talk.rated)
    return parts.after.querySelector("form") || parts.after.replaceChildren(ratingForm());
  if (talk.rated) return;
  const choices = buttons.length || talk.lines.size || talk.id ? buttons : [say("person")];
  const choose = (text) => (parts.after.replaceChildren(), send(text), focusInput());
  const chips = choices.map((text) =>
    make("button", { type: "button", class: "chip", onclick: () => choose(text) }, text),
  );
  parts.after.replaceChildren(...(chips.length ? [make("div", { class: "chips" }, chips)] : []));
};

const expectations = () => {
  const { standing } = talk;
  const speaker = standing && standing.with;
  if (speaker && speaker.kind !== "bot" && standing.status !== "closed")
    return phrases(nameOf(speaker), awayWords());
  return phrases(
    config.bot && say("replies_bot"),
    awayWords() || (peopleOf()?.open && say("people_here")),
  );
};

const phrases = (...all) => all.filter(Boolean).map((words) => make("span", {}, words));

const peopleOf = () => (talk.standing ? talk.standing.people : config.people);

const awayWords = () => {
  const people = peopleOf();
  if (!people || people.open || !people.opens_at) return "";
  const time = new Intl.DateTimeFormat(config.locale, {
    weekday: "short",
    hour: "numeric",
    minute: "2-digit",
  });
  return say("people_away", { time: time.format(new Date(people.opens_at)) });
};
