// Pages that say data-live="SECONDS" are fetched again while they are looked at; without script they stay as they are.
(() => {
  // On a phone the pages' links are one row: it begins where one is.
  const row = document.querySelector(".top nav"), here = row?.querySelector("[aria-current]");
  if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  // What somebody types, has chosen or has opened is not taken away.
  const begun = () => main.querySelector("details.drop[open]") || [...main.querySelectorAll("input[type=file]")].some((field) => field.files.length);
  const busy = () => document.hidden || begun() || main.contains(document.activeElement) && document.activeElement !== main;
  const renew = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html"), page = made.querySelector("main");
      if (!page || busy()) return;
      document.title = made.title;
      main.dataset.live = page.dataset.live ?? main.dataset.live;
      if (page.innerHTML !== main.innerHTML) {
        const y = scrollY;
        main.replaceChildren(...page.childNodes);
        scrollTo(0, y);
      }
    } catch {
      // The server was stopped; the page that is shown stays.
    }
  };
  const again = () => setTimeout(async () => { await renew(); again(); }, 1000 * (Number(main.dataset.live) || 5));
  again();
})();
