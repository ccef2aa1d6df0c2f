// What makes the page quick, and lets it go on without a network. All of it works, slower, without this file.
"use strict";

const AHEAD = 5; // cards that are brought before they are asked for
const AGAIN_MS = 4000; // between two tries to send what waits
const body = document.body, main = document.getElementById("main"), state = document.getElementById("status");
const formKey = body.dataset.formKey, outboxName = `review outbox ${body.dataset.who}`;
const ahead = []; // {item, html, pictures}
let shownAt = performance.now(), sending = false, offline = false, asked = false;

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const say = (text) => { state.textContent = text; };

// What was said and is not known to be kept: it outlives the page.
const outbox = () => JSON.parse(localStorage.getItem(outboxName) || "[]");
const keepOutbox = (some) => localStorage.setItem(outboxName, JSON.stringify(some));
const keyOf = (each) => new URLSearchParams(each.fields).get("key");
// By its key: another page of the same reviewer sends from the same outbox.
const isKept = (sent) => keepOutbox(outbox().filter((each) => keyOf(each) !== keyOf(sent)));

function stand({ judged, waiting }) {
  const told = document.getElementById("standing").querySelectorAll("b");
  told[0].textContent = judged.toLocaleString("en");
  told[1].textContent = waiting.toLocaleString("en");
  const progress = document.getElementById("progress");
  progress.max = Math.max(judged + waiting, 1);
  progress.value = judged;
  document.getElementById("undo").disabled = !judged;
}

async function ask(path, options) {
  const answer = await fetch(path, { credentials: "same-origin", ...options, headers: { Accept: "application/json", ...(options || {}).headers } });
  if (answer.status === 401) location.reload();
  return answer;
}

// The form key of now, which comes last and counts: what waited may be of an invitation that a newer one has replaced.
const post = (path, fields) => ask(path, { method: "POST", body: new URLSearchParams([...fields, ["form_key", formKey]]) });

function show(html, focus = true) {
  main.innerHTML = html;
  shownAt = performance.now();
  window.scrollTo({ top: 0, behavior: "instant" });
  const heading = document.getElementById("question");
  if (focus && heading) heading.focus({ preventScroll: true });
}

// Pictures of a card that waits are brought with it, so that it can be judged wherever the network went.
async function withPictures(card) {
  const paths = [...new Set([...card.html.matchAll(/src="(\/pictures\/[^"]+)"/g)].map((found) => found[1]))];
  for (const path of paths) {
    const answer = await fetch(path, { credentials: "same-origin" });
    if (answer.ok) card.html = card.html.replaceAll(`src="${path}"`, `src="${URL.createObjectURL(await answer.blob())}"`);
  }
  return card;
}

async function bring() {
  if (asked) return;
  asked = true;
  try {
    while (ahead.length < AHEAD) {
      const have = [...ahead.map((card) => card.item), ...outbox().map((each) => each.item), shownItem()].filter(Boolean);
      const answer = await ask(`/cards?have=${have.join(",")}`);
      if (!answer.ok) break;
      const got = await answer.json();
      if (!outbox().length) stand(got);
      if (!got.cards.length) break;
      for (const card of got.cards) ahead.push(await withPictures(card));
    }
    back();
  } catch { lost(); }
  asked = false;
}

const shownItem = () => (main.querySelector("article") || { dataset: {} }).dataset.item;

function lost() {
  offline = true;
  tellWaiting();
}

function back() {
  if (offline) { offline = false; say("The network is back."); }
}

function tellWaiting() {
  const count = outbox().length;
  if (offline) say(count ? `No network. ${count} of your answers wait on this device and are sent when it is back.` : "No network. You can go on for a while.");
}

async function next() {
  const card = ahead.shift();
  if (card) { show(card.html); bring(); return; }
  if (!offline) { location.assign("/"); return; }
  show('<article class="notice"><h1 id="question" tabindex="-1">Waiting for the network</h1><p>Your answers are kept on this device.</p></article>');
}

// One after the other, in the order in which they were given.
async function send() {
  if (sending) return;
  sending = true;
  let told = null;
  try {
    for (let some = outbox(); some.length; some = outbox()) {
      const answer = await post(some[0].path, some[0].fields);
      if (answer.status === 429 || answer.status >= 500) break;
      if (answer.status === 401) return;
      const got = await answer.json();
      isKept(some[0]);
      if (!answer.ok) { told = { refused: true }; say(`This answer was not taken: ${got.error}`); }
      else { told = got; told.item = some[0].item; if ("judged" in got) stand(got); back(); }
    }
  } catch { lost(); }
  sending = false;
  tellWaiting();
  return told;
}

function tellKept(told, kept) {
  if (!offline && !(told && told.refused)) say(outbox().length ? "Not kept yet: it is sent again by itself." : kept);
}

async function give(form, submitter) {
  const fields = [...new FormData(form, submitter).entries()], item = form.elements.item.value;
  fields.push(["seconds", ((performance.now() - shownAt) / 1000).toFixed(1)]);
  keepOutbox([...outbox(), { path: "/verdicts", item, fields }]);
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  say("Keeping it…");
  const told = await send();
  if (told && told.item === item && told.reveal) { say(""); show(told.reveal); bring(); return; }
  tellKept(told, "Kept. Thank you.");
  next();
}

async function remark(form, submitter, at) {
  const fields = [...new FormData(form, submitter).entries()].filter(([name]) => name !== "at");
  fields.push(["at", at || submitter.value]);
  keepOutbox([...outbox(), { path: "/remarks", item: "", fields }]);
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  submitter.classList.add("touched");
  tellKept(await send(), "Kept: it should have looked there.");
}

async function undo() {
  if (outbox().length) { say("Not yet: your last answer is still on its way."); return; }
  try {
    const answer = await post("/undo", [["key", newKey()]]);
    const got = await answer.json();
    if (answer.ok && got.card) { const before = main.querySelector("article.card:not(.reveal)"); if (before) ahead.unshift({ item: shownItem(), html: main.innerHTML }); show(got.card.html); stand(got); say("Taken back. Judge it again."); }
    else say(answer.ok ? "There is nothing to take back." : got.error);
  } catch { lost(); say("No network: it can be taken back once it is there again."); }
}

main.addEventListener("submit", (event) => {
  const form = event.target, path = new URL(form.action).pathname;
  event.preventDefault();
  if (path === "/verdicts") give(form, event.submitter);
  if (path === "/remarks") remark(form, event.submitter, event.submitter.dataset.exact);
});

// A touch says more than its cell; a key says the middle of it.
main.addEventListener("click", (event) => {
  const cell = event.target.closest(".grid button"), onward = event.target.closest("#next");
  if (onward) { event.preventDefault(); next(); return; }
  if (!cell) return;
  delete cell.dataset.exact;
  if (!event.detail) return;
  const box = cell.closest(".grid").getBoundingClientRect();
  const share = (value, from, size) => Math.min(Math.max((value - from) / size, 0), 1).toFixed(3);
  cell.dataset.exact = `${share(event.clientX, box.left, box.width)},${share(event.clientY, box.top, box.height)}`;
});

// Damaged, too large, or deleted meanwhile: whoever judges goes on.
function unshown(image) {
  const told = document.createElement("p"), judged = image.closest(".card:not(.reveal)");
  told.className = "unshown";
  told.textContent = `This picture cannot be shown.${judged ? " Say that you cannot tell, and go on." : ""}`;
  image.replaceWith(told);
}
main.addEventListener("error", (event) => { if (event.target.tagName === "IMG") unshown(event.target); }, true);
for (const image of main.querySelectorAll("img")) if (image.complete && !image.naturalWidth) unshown(image);

document.getElementById("back").addEventListener("submit", (event) => { event.preventDefault(); undo(); });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const at = event.target;
  if (at.matches("textarea, input:not([type=checkbox]), select") || document.getElementById("keys").open) return;
  if (event.key === "?") { document.getElementById("keys").showModal(); return; }
  if (event.key === "Enter" && at.matches("button, a, summary, input")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const named = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key && !each.disabled);
  if (named) { event.preventDefault(); named.click(); }
});

window.addEventListener("online", () => { send(); bring(); });
window.addEventListener("offline", lost);
setInterval(() => { if (outbox().length) send(); else if (offline) bring(); }, AGAIN_MS);
if (document.getElementById("question")) document.getElementById("question").focus({ preventScroll: true });
send().then(bring);
