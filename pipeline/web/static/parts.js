// Pages that say data-parts="ADDRESS" get the parts of them that change as they change; the rest stays where it is, with
// what somebody types and plays. Without script they stay as they are.
(() => {
  const main = document.querySelector("main[data-parts]");
  if (!main) return;
  const last = new Map();
  let tag = "";
  async function renew() {
    const answer = await fetch(main.dataset.parts, { headers: { Accept: "application/json", ...(tag && { "If-None-Match": tag }) } });
    if (answer.status !== 200) return true;
    tag = answer.headers.get("ETag") ?? "";
    const told = await answer.json();
    for (const part of main.querySelectorAll("[data-part]")) {
      const text = told.parts[part.dataset.part] ?? "";
      const before = last.get(part), made = document.createElement("template");
      if (text === before) continue; // compared as the server wrote it
      last.set(part, text);
      made.innerHTML = text;
      if (before !== undefined || made.innerHTML !== part.innerHTML) part.replaceChildren(made.content);
    }
    return told.going_on;
  }
  const again = () => setTimeout(async () => {
    let more = true;
    try { if (!document.hidden) more = await renew(); } catch { /* The server was stopped; it may come back. */ }
    if (more) again();
    else location.reload();
  }, 2000);
  again();
})();
