// The conversation that is shown, and the messages that are still to be sent.

const talk = { id: null, lines: new Map(), cursor: 0, standing: null, rated: false };

// Messages wait here until the desk has them, also from one page to the next.
const pending = () => remembered().pending || [];
const changePending = (change) => remember({ pending: change(pending()) });

const goTo = (id) => {
  if (id !== talk.id) {
    Object.assign(talk, { id, lines: new Map(), cursor: 0, standing: null, rated: false });
    remember({ conversation: id });
    showAll();
  }
  follow();
};

const startAnew = () => {
  hangUp();
  goTo(null);
};

// The conversation is not this visitor's any more.
const leave = (id) => {
  if (talk.id === id) startAnew();
};

const forgetTalk = (everything) => {
  remember({ conversation: null, seen: 0 });
  changePending((all) => (everything ? [] : all.map((message) => ({ ...message, to: null }))));
  startAnew();
};

const takeLine = (line) => {
  if (line.number <= talk.cursor) return;
  talk.cursor = line.number;
  talk.lines.set(line.number, line);
  if (line.client_id) changePending((all) => all.filter((m) => m.client_id !== line.client_id));
  showLine(line);
  notice(line);
};

const takeStanding = (standing) => {
  talk.standing = standing;
  if (standing.status !== "closed") talk.rated = false;
  talk.cursor = Math.max(talk.cursor, standing.last);
  showStanding();
};

const unread = () => {
  const { seen = 0 } = remembered();
  return [...talk.lines.values()].filter((line) => line.number > seen && line.kind === "message")
    .length;
};

const send = (text) => {
  talk.id ??= "new-" + randomId();
  const message = { client_id: randomId(), text, to: talk.id, at: new Date().toISOString() };
  changePending((all) => [...all, message]);
  showPending(message);
  deliver();
};

// Sends what waits, one after the other, in the order in which it was written.
let delivering = false;
const deliver = async () => {
  if (delivering) return;
  delivering = true;
  let n_tries = 0;
  for (let next; (next = pending().find((message) => !message.failed));) {
    try {
      await post(next);
      n_tries = 0;
    } catch (refusal) {
      const { status, after } = refusal;
      if (status === 404 && next.to && !next.to.startsWith("new-")) {
        // The conversation is gone; the words begin another one.
        relabel(next.to, "new-" + randomId());
      } else if (status >= 400 && status < 500 && ![401, 408, 429].includes(status)) {
        next.failed = refusal.message;
        changePending((all) =>
          all.map((message) => (message.client_id === next.client_id ? next : message)),
        );
        showPending(next);
      } else {
        showPending(next, status === 429 ? "slow_down" : "waiting");
        await pause(after ? after * 1000 : backoff(n_tries++));
      }
    }
  }
  delivering = false;
};

// Whoever has just signed in sends under another name, by which the desk cannot tell that it has
// had a message before. So what it has had is looked for first.
const settle = async () => {
  if (!pending().length) return;
  const [last] = (await call("GET", "/conversations")).conversations;
  if (!last) return;
  const after = Math.max(0, last.last - 150);
  const { lines } = await call("GET", "/conversations/" + last.id + "?after=" + after);
  for (const { client_id } of lines) {
    const had = pending().find((message) => client_id && message.client_id === client_id);
    if (!had) continue;
    changePending((all) => all.filter((message) => message.client_id !== client_id));
    if (had.to !== last.id) relabel(had.to, last.id);
  }
};

const post = async (message) => {
  // Before anything is sent: whoever signed out takes the words along.
  await visit();
  const now = pending().find((other) => other.client_id === message.client_id);
  if (!now) return;
  const known = now.to && !now.to.startsWith("new-");
  const received = await asVisitor("POST", "/messages", {
    conversation: known ? now.to : null,
    client_id: now.client_id,
    text: now.text,
    page: pageAddress(),
  });
  changePending((all) => all.filter((other) => other.client_id !== now.client_id));
  if (!known) relabel(now.to, received.conversation);
  if (received.conversation === talk.id) follow();
  connection(true);
};

const relabel = (from, to) => {
  changePending((all) => all.map((m) => (m.to === from ? { ...m, to } : m)));
  if (talk.id !== from) return;
  talk.id = to;
  if (!to.startsWith("new-")) remember({ conversation: to, seen: 0 });
};

// The address without what follows ? and #, which may hold what is nobody's business.
const pageAddress = () => settings.page || location.origin + location.pathname;
