// Keeps what is shown up to date while somebody looks at it: every five seconds, unless it is told to pause.
"use strict";
(() => {
  const live = document.getElementById("live"), news = document.getElementById("news"), button = document.getElementById("pause");
  if (!live || !news || !button) return;
  let paused = false, asking = false, failing = false, etag = "", words = wordsOf(live);

  // wordsOf returns what each thing that has a status is, by its name.
  function wordsOf(part) {
    return new Map(Array.from(part.querySelectorAll("[data-of]"), (e) => [e.dataset.of, e.textContent.trim()]));
  }

  // changes says in words what differs.
  function changes(before, after) {
    const said = [];
    for (const [name, word] of after) if (before.get(name) !== word) said.push(`${name} is ${word}`);
    for (const name of before.keys()) if (!after.has(name)) said.push(`${name} is not listed any more`);
    return said.length > 5 ? said.slice(0, 5).concat(`and ${said.length - 5} more changes`) : said;
  }

  function say(text) { news.textContent = text; }

  // selecting reports whether somebody is copying what would be replaced.
  function selecting() {
    const chosen = document.getSelection();
    return chosen && !chosen.isCollapsed && live.contains(chosen.anchorNode);
  }

  // show replaces what is shown, and leaves the focus where it is.
  function show(next) {
    const at = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    live.replaceChildren(...next.childNodes);
    if (at !== null) live.querySelector(`[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
    const now = wordsOf(live), said = changes(words, now);
    words = now;
    if (said.length > 0) say(said.join("; ") + ".");
  }

  async function update() {
    if (paused || asking || document.visibilityState !== "visible" || selecting()) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: etag ? { "If-None-Match": etag } : {}, signal: AbortSignal.timeout(10000) });
      if (!answer.ok && answer.status !== 304) throw new Error(answer.statusText);
      const next = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (failing) say("Updates work again.");
      failing = false;
      if (!next || paused || selecting()) return;
      etag = answer.headers.get("ETag") || "";
      show(next);
    } catch {
      if (!failing) say(`No update since ${new Date().toLocaleTimeString()}: the server does not answer as it should.`);
      failing = true;
    } finally {
      asking = false;
    }
  }

  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume updates" : "Pause updates";
    update();
  });
  document.addEventListener("visibilitychange", update);
  document.getElementById("updates").hidden = false;
  setInterval(update, 5000);
})();
