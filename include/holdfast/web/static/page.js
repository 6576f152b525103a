// Keeps the page up to date. The server draws every part; this puts them in their places.
"use strict";

const connection = document.getElementById("connection");
const sure = document.getElementById("sure");
let stream = null;
let isOver = false;

function show({ name, html }) {
  const place = document.querySelector(`[data-part="${name}"]`);
  if (!place || place.contains(document.activeElement) && document.activeElement.matches("a, summary")) {
    return; // who is about to follow a link must not lose it
  }
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  place.innerHTML = html;
  place.querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? false; });
  if (place.matches("section")) place.hidden = !html;
  const ask = document.getElementById("ask");
  if (name === "status" && ask) ask.hidden = !place.querySelector("[data-stoppable]");
}

function say(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

function listen() {
  if (stream || isOver || document.hidden) return;
  stream = new EventSource(connection.dataset.events);
  stream.addEventListener("open", () => say(""));
  stream.addEventListener("part", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("end", () => { isOver = true; leave(); sure?.close(); });
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) { say("The connection was lost. Trying again; what is shown may be old."); return; }
    leave();
    say("The server refused to go on. Reload the page: you may have been logged out.");
  });
}

function leave() {
  stream?.close();
  stream = null;
}

async function refresh(main) {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (fresh && fresh.innerHTML !== main.innerHTML && !main.contains(document.activeElement)) main.innerHTML = fresh.innerHTML;
  } catch { /* the next try may do better; the page stays as it is */ }
}

if (connection) {
  listen();
  // a browser keeps few connections to a server: a tab that nobody sees gives its own back
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
}
const overview = document.querySelector("[data-overview]");
if (overview) setInterval(() => refresh(overview), 5000);

document.getElementById("ask")?.addEventListener("submit", (event) => {
  event.preventDefault();
  sure.showModal();
  document.getElementById("go-on").focus();
});
document.getElementById("go-on")?.addEventListener("click", (event) => {
  if (sure) { event.preventDefault(); sure.close(); }
});
document.querySelector("form.sure")?.addEventListener("submit", (event) => {
  event.target.querySelector("button").disabled = true;
  document.getElementById("stopping").textContent = "Stopping: waiting until every fault is gone…";
});
