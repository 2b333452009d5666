//! What the messenger does with answers that no desk would give: they stand for whatever may go
//! wrong between what somebody wrote and the page that shows it.

use crate::{
    desk::Desk,
    page::{ENTER, Page},
};
use serde_json::json;

/// Answers in the desk's place: a visit that is proven, one conversation, and its stream.
const ANSWER: &str = r#"
const real = window.fetch;
const answer = (body) => Promise.resolve(new Response(JSON.stringify(body)));
const lines = arguments[0];
window.fetch = (url, options = {}) => {
  if (url.endsWith('/visits'))
    return answer({ token: 't'.repeat(64), verified: true, name: null, continued: true });
  const at = '2026-11-22T12:00:00Z';
  const standing = { id: 'c1', status: 'open', with: { kind: 'bot' }, typing: false,
    ratable: false, people: null, last: lines.length, preview: 'x', updated_at: at };
  if (url.endsWith('/conversations')) return answer({ conversations: [standing] });
  if (!url.endsWith('/events')) return real(url, options);
  const events = lines.map((line, n) => ['line', { number: n + 1, at, ...line }]);
  const text = [...events, ['standing', standing]]
    .map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
  const body = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(text)) });
  return Promise.resolve(new Response(body));
};
Frontdesk.open();
Frontdesk.identify({ user_id: '17', user_hash: 'h' });
"#;

/// Finds what must not be in the messenger's part of the page.
const FORBIDDEN: &str = r#"
const tags = /^(A|BLOCKQUOTE|BR|CODE|DEL|EM|HR|LI|OL|P|PRE|SPAN|STRONG|SUB|SUP|TABLE|TBODY|TD|TH|THEAD|TR|UL)$/;
const found = window.acted ? ['a script ran'] : [];
for (const bubble of all('.message .bubble')) {
  for (const one of bubble.querySelectorAll('*')) {
    if (!tags.test(one.tagName)) found.push(one.tagName);
    for (const { name } of one.attributes)
      if (!/^(href|target|rel|start)$/.test(name)) found.push(one.tagName + ' ' + name);
  }
}
for (const one of all('.panel a')) if (!/^(https?|mailto|tel):/.test(one.href)) found.push(one.href);
return found;
"#;

/// Shows lines that try to act, and proves that they are words.
pub(crate) async fn hostile_lines_stay_words(page: &Page, desk: &Desk) {
    page.go(&desk.address()).await;
    page.read(".launcher", "").await;
    let bot = json!({"kind": "bot", "name": null});
    let html = "<p onclick=\"acted=1\">one\u{2028}<img src=x onerror=\"acted=1\"></p>\
        <script>acted=1</script><svg onload=\"acted=1\"><a href=\"javascript:acted=1\">x</a></svg>\
        <a href=\" javascript:acted=1\" style=\"position:fixed\">two</a>\
        <math><mtext><style><img src=x onerror=acted=1></style></mtext></math>\
        <iframe srcdoc=\"<script>parent.acted=1</script>\"></iframe>\
        <form action=\"https://evil.example\"><input name=card></form><a href=\"https://a.example\">good</a>";
    let words = "</script><img src=x onerror=acted=1>\u{2028}\u{2029}\u{202e}{{7*7}} last words";
    let sources = json!([
        {"title": "<b>bold</b>", "url": "javascript:acted=1"},
        {"title": "plain", "url": "https://a.example"},
    ]);
    let buttons = json!(["<img src=x onerror=acted=1>", "\u{2028}yes"]);
    let lines = json!([
        {"kind": "message", "from": bot, "html": html, "sources": sources, "buttons": []},
        {"kind": "own", "from": {"kind": "customer", "name": null}, "text": words},
        {"kind": "event", "from": bot, "what": "handed_off", "team": "<i>Team</i>"},
        {"kind": "event", "from": bot, "what": "constructor"},
        {"kind": "message", "from": {"kind": "teammate", "name": "<u>Eve</u>"}, "html": "the end",
            "sources": [], "buttons": buttons},
    ]);
    page.run(ANSWER, json!([lines])).await;
    page.read(".message .bubble", "the end").await;
    page.read(".message.own .bubble", "{{7*7}} last words").await;
    page.read(".event", "Passed on to <i>Team</i>").await;
    let events = "return all('.event').map((one) => one.innerText).join('|')";
    let events = page.run(events, json!([])).await;
    assert!(!events.to_string().contains("[object"), "{events}");
    page.read(".chip", "<img src=x onerror=acted=1>").await;
    page.read(".sources", "<b>bold</b>").await;
    // Long enough for a picture to fail, or for a frame to load.
    let waited = "return window.waited ||= (setTimeout(() => window.waited = 2, 500), 1), window.waited === 2";
    page.until(waited, json!([])).await;
    assert_eq!(page.run(FORBIDDEN, json!([])).await, json!([]));
    let links = "return all('.bubble a, .sources a').map((one) => one.href)";
    let expected = json!(["https://a.example/", "https://a.example/"]);
    assert_eq!(page.run(links, json!([])).await, expected);
}

/// Signs out while the desk still answers to the sign-in, and proves that the token of whoever has
/// left does not come back.
pub(crate) async fn a_late_welcome_signs_nobody_in_again(page: &Page, desk: &Desk) {
    page.go(&desk.address()).await;
    page.run("localStorage.clear()", json!([])).await;
    page.go(&desk.address()).await;
    page.read(".launcher", "").await;
    let late = r#"
const real = window.fetch;
const welcome = { token: 'p'.repeat(64), verified: true, name: null, continued: true };
let arrive;
window.fetch = (url, options = {}) => {
  if (!url.endsWith('/visits')) return real(url, options);
  if (options.body.includes('user_hash'))
    return new Promise((done) => { arrive = () => done(new Response(JSON.stringify(welcome))); });
  window.asked_without_proof = true;
  return new Promise(() => {});
};
Frontdesk.identify({ user_id: '17', user_hash: 'h' });
Frontdesk.signOut();
arrive();
"#;
    page.run(late, json!([])).await;
    page.until("return window.asked_without_proof", json!([])).await;
    let token = "const key = Object.keys(localStorage).find((key) => key.startsWith('frontdesk:'));
        return JSON.parse(localStorage.getItem(key) || '{}').token || null";
    assert_eq!(page.run(token, json!([])).await, json!(null));
}

/// Has another tab open a visit and write while the answer to this one's is on its way, and proves
/// that both go on as one visitor, with the conversation of the other.
pub(crate) async fn two_tabs_are_one_visitor(page: &Page, desk: &Desk) {
    page.go(&desk.address()).await;
    page.run("localStorage.clear()", json!([])).await;
    page.go(&desk.address()).await;
    page.read(".launcher", "").await;
    let tabs = r#"
const real = window.fetch;
const post = async (path, token, body) => {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = 'Bearer ' + token;
  const answer = await real('/messenger/v1' + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return answer.json();
};
window.fetch = (url, options = {}) => {
  if (!url.endsWith('/visits') || window.arrive) return real(url, options);
  const answer = real(url, options);
  return new Promise((done) => { window.arrive = () => answer.then(done); });
};
window.elsewhere = async () => {
  const { token } = await post('/visits', null, {});
  const first = { conversation: null, client_id: 'other-tab-1', text: 'How long is the trial?' };
  const { conversation } = await post('/messages', token, first);
  const key = 'frontdesk:' + location.origin;
  const kept = JSON.parse(localStorage.getItem(key) || '{}');
  localStorage.setItem(key, JSON.stringify({ ...kept, token, conversation, verified: false }));
  window.other = token;
};
Frontdesk.open();
Frontdesk.write('Can I extend it?');
"#;
    page.run(tabs, json!([])).await;
    page.run("roots[1].querySelector('textarea').focus()", json!([])).await;
    page.keys(ENTER).await;
    page.until("return window.arrive", json!([])).await;
    page.run("window.elsewhere()", json!([])).await;
    page.until("return window.other", json!([])).await;
    page.run("window.arrive()", json!([])).await;
    page.read(".message.own .bubble", "Can I extend it?").await;
    page.until("return !seen('[data-waits]').length", json!([])).await;
    let kept = "return JSON.parse(localStorage.getItem('frontdesk:' + location.origin)).token === window.other";
    assert_eq!(page.run(kept, json!([])).await, json!(true), "the other tab's visit is over");
}
