// Puts the messenger into the page, after the page itself.

const root = document.createElement("div").attachShadow({ mode: "open" });
root.host.id = "frontdesk-messenger";

const STYLE = "{style}";

const dress = () => {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(make("style", {}, STYLE));
  }
};

// Any colour of CSS as three numbers from 0 to 255.
const rgbOf = (colour) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = "#3447c9";
  pen.fillStyle = colour;
  const hex = /^#(..)(..)(..)$/.exec(pen.fillStyle);
  return hex ? hex.slice(1).map((part) => parseInt(part, 16)) : [52, 71, 201];
};

// Relative luminance and contrast as in WCAG 2.2.
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

// Moves a colour towards black or white until it can be read on a ground.
const legible = (rgb, ground) => {
  const towards = luminance(ground) > 0.2 ? 0 : 255;
  for (let part = 0; part <= 1; part += 0.05) {
    const mixed = rgb.map((c) => Math.round(c + (towards - c) * part));
    if (contrast(mixed, ground) >= 4.6) return mixed;
  }
  return [towards, towards, towards];
};

const darkWanted = matchMedia("(prefers-color-scheme: dark)");
const paint = () => {
  const dark = settings.theme === "dark" || (settings.theme !== "light" && darkWanted.matches);
  const accent = rgbOf(settings.color || "#3447c9");
  const grounds = [
    [255, 255, 255],
    [27, 29, 36],
    [0, 0, 0],
  ];
  const onAccent = grounds.find((rgb) => contrast(accent, rgb) >= 4.5);
  const set = (name, rgb) => root.host.style.setProperty(name, "rgb(" + rgb.join(" ") + ")");
  set("--accent", accent);
  set("--on-accent", onAccent);
  set("--link", legible(accent, dark ? [43, 46, 56] : [240, 242, 246]));
  root.host.dataset.theme = dark ? "dark" : "light";
  root.host.dataset.position = settings.position === "left" ? "left" : "right";
  const { offset, zIndex } = settings;
  if (offset) root.host.style.setProperty("--offset", parseInt(offset, 10) + "px");
  if (zIndex) root.host.style.setProperty("--layer", parseInt(zIndex, 10));
};

const show = () => {
  const { locale } = config;
  root.host.lang = locale;
  root.host.dir = /^(ar|fa|he|ur)\b/.test(locale) ? "rtl" : "ltr";
  root.append(...build());
  showAll();
  showBadge();
  if (remembered().open && !isPhone()) open(true);
  if (remembered().token && remembered().conversation) {
    talk.id = remembered().conversation;
    visit().then(follow, () => connection(false));
  }
  if (pending().length) deliver();
};

const begin = async () => {
  dress();
  paint();
  darkWanted.addEventListener("change", paint);
  document.body.append(root.host);
  for (let n_tries = 0; ; n_tries++) {
    try {
      config = await call("GET", "/config?locale=" + encodeURIComponent(wantedLocale()));
      break;
    } catch (refusal) {
      if (refusal.status === 403) return console.warn("Frontdesk: " + refusal.message);
      await pause(backoff(n_tries));
    }
  }
  show();
  root.host.dispatchEvent(new CustomEvent("frontdesk:ready", { bubbles: true, composed: true }));
};

// A tab that nobody sees lets its stream go after a minute, and takes it up again when it is seen.
let hiddenTimer = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(hangUp, 60000);
  else {
    wake();
    follow();
    if (isOpen) markSeen();
  }
});
window.addEventListener("online", wake);
window.addEventListener("offline", () => connection(false));
// What happens in one tab happens in the others: another conversation, or another customer.
window.addEventListener("storage", (event) => {
  if (event.key !== storageKey || !parts.log) return;
  const was = JSON.parse(event.oldValue || "{}");
  const { token, conversation = null } = remembered();
  if (was.token !== token) visiting = null;
  const isUnsent = talk.id && talk.id.startsWith("new-");
  if (!isUnsent && talk.id !== conversation) goTo(conversation);
});

// What the page may ask of the messenger.
window.Frontdesk = {
  open: () => parts.log && open(),
  close: () => parts.log && close(),
  // Opens the panel with words in the box, which are not sent.
  write: (text) => {
    if (!parts.log) return;
    open();
    parts.input.value = text;
    onInput();
  },
  // Somebody has signed in: { user_id, user_hash } or { user_jwt }.
  identify: (proof) => {
    Object.assign(settings, proof);
    visiting = null;
    return visit().then(welcomeBack);
  },
  // Somebody has signed out: forgets everything of them here.
  signOut: () => {
    ["user_id", "userId", "user_hash", "userHash", "user_jwt", "userJwt"].forEach(
      (name) => delete settings[name],
    );
    // Asked without a proof, the desk ends the visit; whether it hears of it or not, it is over here.
    if (remembered().token) call("POST", "/visits", {}).catch(() => {});
    visiting = null;
    visitor = { verified: false };
    remember({ token: null, verified: false });
    forgetTalk(true);
  },
};

if (document.body) begin();
else document.addEventListener("DOMContentLoaded", begin);
