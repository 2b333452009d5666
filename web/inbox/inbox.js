// What a page of the inbox does by itself: listens for changes, keeps what is typed, and obeys keys.
// Everything else works without it.
"use strict";
(() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const talk = find("[data-conversation]");
  const conversation = talk ? talk.dataset.conversation : null;
  const kept = conversation ? `frontdesk.reply.${conversation}` : null;
  const typing = (target) => target && target.matches("input:not([type=radio]), textarea, select");

  // ---- changes. One stream serves all tabs of a browser, as browsers open few connections to one
  // server: the tab that holds the lock listens and tells the others.
  const say = (name) => document.body.dispatchEvent(new CustomEvent(name));
  let waiting = null;
  let about = { lists: false, conversation: false };
  const changed = (id) => {
    about.lists = true;
    about.conversation = about.conversation || id === null || id === conversation;
    waiting = waiting || setTimeout(() => {
      const now = about;
      [waiting, about] = [null, { lists: false, conversation: false }];
      say("lists-changed");
      if (now.conversation && conversation) say("conversation-changed");
    }, 300);
  };
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("frontdesk-inbox") : null;
  const heard = (id) => { changed(id); if (channel) channel.postMessage({ id }); };
  if (channel) channel.onmessage = (event) => changed(event.data.id);
  const listen = () => {
    let failures = 0;
    let lost = false;
    const open = () => {
      const stream = new EventSource(document.body.dataset.live);
      stream.addEventListener("open", () => { failures = 0; if (lost) heard(null); lost = false; });
      stream.addEventListener("changed", (event) => heard(JSON.parse(event.data).conversation));
      stream.addEventListener("missed", () => heard(null));
      stream.addEventListener("error", () => {
        lost = true;
        // Closed for good: signed out, or the desk restarts. Look at a page, which would say.
        if (stream.readyState !== EventSource.CLOSED) return;
        failures += 1;
        setTimeout(open, Math.min(30000, 1000 * 2 ** failures));
        if (failures === 1) say("lists-changed");
      });
    };
    open();
  };
  if (document.body.dataset.live) {
    if (navigator.locks) navigator.locks.request("frontdesk-inbox", () => new Promise(listen));
    else listen();
  }
  // How long ago things were grows old by itself.
  setInterval(() => { if (!document.hidden) { say("lists-changed"); if (conversation) say("conversation-changed"); } }, 60000);

  // ---- what must not be lost while parts are looked up again
  const at_end = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  let stayed = true;
  let last = Number(find("#timeline")?.dataset.last || 0);
  const opened = new Set();
  let focused = null;
  let deed = false;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    // Somebody marks words there, to copy them: at the next change.
    const marked = getSelection();
    if (part.id === "timeline" && !marked.isCollapsed && part.contains(marked.anchorNode)) event.preventDefault();
    // Somebody is choosing or typing there: later, unless that is what brought the change about.
    if (part.id === "side" && !deed && typing(document.activeElement) && part.contains(document.activeElement)) {
      event.preventDefault();
      part.addEventListener("focusout", () => setTimeout(() => say("conversation-changed"), 400), { once: true });
    }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    focused = part.contains(document.activeElement) ? document.activeElement.id : null;
    opened.clear();
    for (const one of part.querySelectorAll("details[id]")) opened.add([one.id, one.open]);
    tops.set(part.id, part.scrollTop);
  });
  const tops = new Map();
  document.addEventListener("htmx:afterSwap", (event) => {
    const part = document.getElementById(event.detail.target.id) || event.detail.target;
    for (const [id, open] of opened) { const one = document.getElementById(id); if (one) one.open = open; }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (part.id === "side") deed = false;
    if (part.id === "timeline") arrived(part);
    else if (tops.has(part.id)) part.scrollTop = tops.get(part.id);
    if (part.id === "composer") { box_changed(); find("#text")?.focus(); }
  });
  const arrived = (timeline) => {
    timeline.scrollTop = stayed ? timeline.scrollHeight : tops.get("timeline");
    const now = Number(timeline.dataset.last);
    if (now > last) find("#announce").textContent = "Something new was said.";
    last = now;
    // Whoever has begun to write answers what stood there then, and is told of what came since.
    const text = find("#text");
    if (text && text.value === "") find("#seen").value = String(now);
  };
  const to_end = () => { const box = find("#timeline"); if (box) box.scrollTop = box.scrollHeight; };
  to_end();
  // Whoever is at the end stays there, whatever grows or shrinks around it.
  // A box that has become smaller tells of an earlier scroll, too: only upwards leads away from there.
  let top = 0;
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box.id !== "timeline") return;
    if (at_end(box)) stayed = true;
    else if (box.scrollTop < top) stayed = false;
    top = box.scrollTop;
  }, true);
  const around = new ResizeObserver(() => { if (stayed) to_end(); });
  for (const part of document.querySelectorAll(".talk, .write")) around.observe(part);

  // ---- the box
  const store = (value) => { try { if (value) sessionStorage.setItem(kept, value); else sessionStorage.removeItem(kept); } catch { /* not allowed: then not kept */ } };
  const keep = () => {
    const [text, draft, note, seen] = [find("#text"), find("#used-draft"), find("#kind-note"), find("#seen")];
    if (!text) return;
    store(text.value === "" ? null : JSON.stringify({ text: text.value, draft: draft.value, note: note.checked, seen: seen.value }));
  };
  const box_changed = () => {
    const draft = find("#used-draft");
    const mark = find(".composer .taken");
    if (draft && mark) mark.hidden = draft.value === "";
    keep();
  };
  if (kept && find("#text") && find("#text").value === "") {
    try {
      const was = JSON.parse(sessionStorage.getItem(kept) || "null");
      if (was) {
        find("#text").value = was.text;
        find("#used-draft").value = was.draft;
        find("#seen").value = was.seen;
        find(was.note ? "#kind-note" : "#kind-reply").checked = true;
        box_changed();
      }
    } catch { /* nothing that can be read */ }
  }
  document.addEventListener("input", (event) => {
    if (event.target.id === "text" && event.target.value === "") find("#used-draft").value = "";
    if (event.target.closest && event.target.closest("#composer")) box_changed();
  });
  const fill = (button) => {
    const text = find("#text");
    const words = button.dataset.fill;
    if (button.dataset.draft) {
      find("#used-draft").value = button.dataset.draft;
      find("#kind-reply").checked = true;
      text.value = text.value.trim() === "" ? words : `${text.value.trimEnd()}\n\n${words}`;
    } else {
      text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    }
    const canned = find("#canned");
    if (canned) canned.open = false;
    box_changed();
    text.focus();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (button && find("#text")) { event.preventDefault(); fill(button); }
    const dismissed = event.target.closest("[data-dismiss]");
    if (dismissed) find("#notice").replaceChildren();
    const canned = find("#canned");
    if (canned && canned.open && !canned.contains(event.target)) canned.open = false;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (event.detail.successful && form.matches("#side form")) {
      deed = true;
      const tag = find("#tag", form);
      if (tag) tag.value = "";
    }
    if (event.detail.successful && form.matches("[data-judged]")) {
      form.closest(".answer")?.classList.add("judged");
      form.replaceChildren("Noted, thank you");
      find("#announce").textContent = "Noted";
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-leaves]")) return;
    try { sessionStorage.clear(); } catch { /* nothing was kept */ }
  });

  // ---- keys
  const rows = () => [...document.querySelectorAll(".row")];
  const step = (by) => {
    const all = rows();
    const here = all.indexOf(document.activeElement);
    const from = here >= 0 ? here : all.findIndex((row) => row.getAttribute("aria-current"));
    const next = all[Math.max(0, Math.min(all.length - 1, from + by))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  const write = (mode) => {
    const kind = find(`#kind-${mode}`);
    if (!kind) return;
    kind.checked = true;
    box_changed();
    find("#text").focus();
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    r: () => write("reply"),
    n: () => write("note"),
    d: () => find("#draft [data-fill]")?.click(),
    "/": () => { const menu = find("#menu"); if (menu) menu.open = true; find("#find")?.focus(); },
    "?": () => find("#keys")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && target.id === "text") {
      event.preventDefault();
      target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && typing(target)) { target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(target) || find("dialog[open]")) return;
    const in_list = target.matches(".row");
    const key = in_list && event.key === "ArrowDown" ? "j" : in_list && event.key === "ArrowUp" ? "k" : event.key;
    if (Object.hasOwn(keys, key)) { event.preventDefault(); keys[key](); }
  });

  // On a phone the menu is closed at first.
  const menu = find("#menu");
  const narrow = window.matchMedia("(max-width: 820px)");
  const fold = () => { const menu_now = find("#menu"); if (menu_now) menu_now.open = !narrow.matches; };
  if (menu) { fold(); narrow.addEventListener("change", fold); }
  // There the page scrolls rather than the timeline, and what was said last matters most.
  if (narrow.matches) find("#timeline > ol > li:last-child")?.scrollIntoView({ block: "center" });
})();
