// The way to the desk: requests, the visit, and the stream of a conversation.

class Refusal extends Error {
  constructor(status, problem, after) {
    super(problem.detail || "HTTP " + status);
    this.status = status;
    this.code = problem.code;
    this.after = after;
  }
}

const authorization = () => {
  const { token } = remembered();
  return token ? { Authorization: "Bearer " + token } : {};
};

const call = async (method, path, body) => {
  const headers = authorization();
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(base + "/messenger/v1" + path, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: "omit",
    signal: AbortSignal.timeout(20000),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(response.status, answer, Number(answer.retry_after_s) || 0);
};

const identity = () => ({
  user_id: settings.user_id ?? settings.userId,
  user_hash: settings.user_hash ?? settings.userHash,
  user_jwt: settings.user_jwt ?? settings.userJwt,
});
const identified = () => Object.values(identity()).some((part) => part != null);

// Opens the visit, once for a page unless it ends. What the browser remembers of another customer
// is forgotten before anything is shown or sent.
let visiting = null;
let visitor = { verified: false };
const visit = () => {
  if (visiting) return visiting;
  const { token, verified } = remembered();
  const hello = { ...identity(), locale: config.locale, name: settings.name };
  if (hello.user_id != null) hello.user_id = String(hello.user_id);
  const own = (visiting = call("POST", "/visits", hello).then(
    async (welcome) => {
      // Somebody has signed in or out meanwhile: this one's token must not come back.
      if (visiting !== own) return visit();
      // Another tab was quicker: both are one visitor's, and go on with its visit.
      if (!token && !identified() && remembered().token) {
        visiting = null;
        return visit();
      }
      visitor = welcome;
      remember({ verified: welcome.verified });
      if (welcome.token) remember({ token: welcome.token });
      if (token && !welcome.continued) forgetTalk(verified);
      else if (token && welcome.token) await settle().catch(() => {});
      return welcome;
    },
    (refusal) => {
      if (visiting !== own) return visit();
      visiting = null;
      if (refusal.code !== "identity_unproven") throw refusal;
      console.warn("Frontdesk: " + refusal.message);
      ["user_id", "userId", "user_hash", "userHash", "user_jwt", "userJwt"].forEach(
        (name) => delete settings[name],
      );
      return visit();
    },
  ));
  return own;
};

const asVisitor = async (method, path, body) => {
  await visit();
  try {
    return await call(method, path, body);
  } catch (refusal) {
    if (refusal.status !== 401) throw refusal;
    visiting = null;
    await visit();
    return call(method, path, body);
  }
};

// Follows the conversation that is shown. Each new stream begins after the last line that arrived,
// so nothing is lost or comes twice.
let stream = null;
const hangUp = () => {
  if (stream) stream.abort.abort();
  stream = null;
};
const follow = () => {
  if (stream && stream.id === talk.id) return;
  hangUp();
  if (!talk.id || talk.id.startsWith("new-")) return;
  stream = { id: talk.id, abort: new AbortController() };
  keepFollowing(stream);
};

const keepFollowing = async (own) => {
  for (let n_tries = 0; stream === own; n_tries++) {
    const began = Date.now();
    try {
      await visit();
      if (stream !== own) return;
      await readStream(own);
      if (Date.now() - began > 5000) n_tries = 0;
    } catch (failure) {
      if (stream !== own) return;
      if (failure.status === 401) visiting = null;
      if (failure.status === 404) return leave(own.id);
      if (n_tries > 0) connection(false);
    }
    await pause(backoff(n_tries));
  }
};

const readStream = async (own) => {
  const response = await fetch(base + "/messenger/v1/conversations/" + own.id + "/events", {
    headers: { ...authorization(), "Last-Event-ID": String(talk.cursor) },
    credentials: "omit",
    cache: "no-store",
    signal: own.abort.signal,
  });
  if (!response.ok) throw new Refusal(response.status, {}, 0);
  connection(true);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    // The desk gives a sign of life every 15 s; without one the line is dead, whatever it says.
    let timer;
    const silence = new Promise((_, fail) => {
      timer = setTimeout(() => fail(new Error("silence")), 40000);
    });
    const { done, value } = await Promise.race([reader.read(), silence]).finally(() =>
      clearTimeout(timer),
    );
    if (done || stream !== own) return reader.cancel();
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop();
    events.forEach(take);
  }
};

// An event that cannot be read is left out, so that the stream goes on with the next.
const take = (event) => {
  const fields = {};
  for (const line of event.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    fields[name] = name in fields ? fields[name] + "\n" + value : value;
  }
  try {
    if (fields.event === "line") takeLine(JSON.parse(fields.data));
    if (fields.event === "standing") takeStanding(JSON.parse(fields.data));
  } catch (failure) {
    console.warn("Frontdesk: an event was left out", failure.message);
  }
};
