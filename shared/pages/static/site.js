// Times in the reader's zone; live progress; copying a link or commands. Every page works without it.
"use strict";

(() => {
  const SOONEST = 3000; // milliseconds between looks while something goes on
  const LATEST = 60000; // and while nothing does
  const LONGEST = 4 * 60 * 60 * 1000; // after that nobody is looking any more

  const page = document.documentElement.lang;
  const language = navigator.languages.find((known) => known.split("-")[0] === page) || (page === "en" ? "en-GB" : page);
  const moment = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

  function localise(root) {
    const thisYear = new Date().getFullYear();
    for (const element of root.querySelectorAll("time[datetime]")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const isRecord = Boolean(element.closest("[data-record]")); // a page to keep: its times say all
      const year = at.getFullYear() === thisYear && !isRecord ? {} : { year: "numeric" };
      const zone = isRecord ? { timeZoneName: "short" } : {};
      element.title = element.textContent;
      element.textContent = new Intl.DateTimeFormat(language, { ...moment, ...year, ...zone }).format(at);
    }
  }

  function follow(live) {
    const announcement = document.getElementById("announcement");
    const began = Date.now();
    let wait = SOONEST;
    let timer = 0;
    let told = spoken(live);

    function spoken(root) {
      const headline = root.querySelector("[data-headline]");
      const percent = root.querySelector("[data-percent]");
      const tens = percent ? Math.floor(Number(percent.dataset.percent) / 10) * 10 : 0;
      return (headline ? headline.textContent : "") + (tens ? `, ${tens} %` : "");
    }

    function idle() {
      const possible = live.querySelector("#sync-later time[datetime]");
      const until = possible ? new Date(possible.dateTime).getTime() - Date.now() + 1000 : LATEST;
      return Math.min(LATEST, Math.max(SOONEST, until || LATEST));
    }

    function pause() {
      return live.querySelector("[data-live]")?.dataset.live === "yes" ? SOONEST : idle();
    }

    function show(html) {
      const fresh = new DOMParser().parseFromString(html, "text/html").body;
      const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
      localise(fresh);
      live.replaceChildren(...fresh.childNodes);
      if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
      const now = spoken(live);
      if (now !== told) announcement.textContent = told = now;
      wait = pause();
    }

    async function look() {
      try {
        const answer = await fetch(live.dataset.source, { credentials: "same-origin", cache: "no-store" });
        if (answer.status === 401 || answer.status === 404) return;
        if (answer.ok) show(await answer.text());
        else wait = Math.min(wait * 2, LATEST);
      } catch {
        wait = Math.min(wait * 2, LATEST);
      }
      plan();
    }

    function plan() {
      clearTimeout(timer);
      if (!document.hidden && Date.now() - began < LONGEST) timer = setTimeout(look, wait);
    }

    wait = pause();
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : plan()));
    plan();
  }

  function copying(button) {
    const field = document.getElementById(button.dataset.copy);
    if (!field || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value ?? field.textContent);
      button.textContent = button.dataset.copied;
    });
  }

  localise(document);
  const live = document.getElementById("live");
  if (live) follow(live);
  document.querySelectorAll("[data-copy]").forEach(copying);
})();
