// How it went, the list of earlier conversations, and what is noticed while the panel is closed.

const ratingForm = () => {
  const stars = [1, 2, 3, 4, 5].map((n) =>
    make(
      "label",
      { title: say("rate_" + n) },
      make("input", { type: "radio", name: "stars", value: n, "aria-label": say("rate_" + n) }),
      make("span", { "aria-hidden": "true" }, "★"),
    ),
  );
  const comment = make("textarea", {
    rows: 2,
    maxlength: 1000,
    placeholder: say("rate_comment"),
    "aria-label": say("rate_comment"),
  });
  const more = make(
    "div",
    { class: "more", hidden: true },
    comment,
    make("button", { class: "solid" }, say("rate_send")),
  );
  const problem = make("p", { class: "note failed", role: "alert" });
  const chosen = () => Number(form.elements.stars.value);
  const submitRating = async (event) => {
    event.preventDefault();
    const rating = { stars: chosen(), comment: comment.value.trim() || null };
    try {
      await asVisitor("POST", "/conversations/" + talk.id + "/rating", rating);
      talk.rated = true;
      parts.after.replaceChildren(
        make("p", { class: "thanks", role: "status" }, say("rate_thanks")),
      );
      focusInput();
    } catch {
      problem.textContent = say("failed");
    }
  };
  const onchange = () => {
    more.hidden = false;
    stars.forEach((star, n) => star.classList.toggle("lit", n < chosen()));
    scrollDown(true);
  };
  const form = make(
    "form",
    { class: "rating", onsubmit: submitRating, onchange },
    make(
      "fieldset",
      {},
      make("legend", {}, say("rate_title")),
      make("div", { class: "stars" }, stars),
    ),
    more,
    problem,
  );
  return form;
};

const showTalk = () => {
  parts.list.hidden = true;
  parts.scroll.hidden = parts.composer.hidden = false;
  parts.history.setAttribute("aria-expanded", "false");
};

const showList = async () => {
  if (!parts.list.hidden) return (showTalk(), focusInput());
  parts.list.hidden = false;
  parts.scroll.hidden = parts.composer.hidden = true;
  parts.history.setAttribute("aria-expanded", "true");
  const { conversations } = await asVisitor("GET", "/conversations").catch(() => ({
    conversations: [],
  }));
  const when = new Intl.DateTimeFormat(config.locale, { dateStyle: "medium" });
  const items = conversations.map((conversation) =>
    make(
      "li",
      {},
      make(
        "button",
        {
          type: "button",
          "aria-current": conversation.id === talk.id && "true",
          onclick: () => (goTo(conversation.id), showTalk(), focusInput()),
        },
        avatar(conversation.with),
        make("span", { class: "preview" }, conversation.preview || "…"),
        make(
          "span",
          { class: "when" },
          nameOf(conversation.with) + " · " + when.format(new Date(conversation.updated_at)),
        ),
      ),
    ),
  );
  parts.list.replaceChildren(
    make("h3", {}, say("conversations")),
    items.length ? make("ul", {}, items) : make("p", {}, say("none_yet")),
  );
  const first = parts.list.querySelector("button");
  if (first) first.focus();
};

// Somebody who is known goes on where the last conversation stands.
const welcomeBack = async () => {
  showStanding();
  if (talk.id || !visitor.verified) return;
  const { conversations } = await asVisitor("GET", "/conversations");
  const running = conversations.find((conversation) => conversation.status !== "closed");
  if (running && !talk.id) goTo(running.id);
};

const markSeen = () => {
  remember({ seen: talk.cursor });
  showBadge();
};

const notice = () => (isOpen && !document.hidden ? markSeen() : showBadge());

const showBadge = () => {
  const n = unread();
  parts.badge.hidden = n === 0 || isOpen;
  parts.badge.textContent = n > 9 ? "9+" : n;
  const label = settings.label || say("open");
  parts.launcher.setAttribute(
    "aria-label",
    n && !isOpen ? label + ", " + say("unread", { n }) : isOpen ? say("close") : label,
  );
};

const connection = (good) => {
  if (!parts.banner || parts.banner.hidden === good) return;
  parts.banner.hidden = good;
  parts.banner.textContent = good ? "" : say("offline");
  scrollDown();
};

// Follows the newest line unless somebody reads further up.
const scrollDown = (always) => {
  const { scroll } = parts;
  const near = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 160;
  if (always || near) requestAnimationFrame(() => (scroll.scrollTop = scroll.scrollHeight));
};
