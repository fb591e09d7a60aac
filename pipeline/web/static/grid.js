// Look at faces: the server's first page becomes a grid of all that fit, of which only what is seen is there. Faces are
// marked by click, range and key, decided at once, seen large, taken back. Without script the page's own form does it.
(() => {
  const form = document.getElementById("grid"), list = form.querySelector(".tiles"), near = document.getElementById("near");
  const total = Number(form.dataset.total), standing = document.getElementById("standing"), deciding = form.querySelector(".deciding");
  const PART = 120, KEPT = 60, MOST = 5000, AT_ONCE = 500;
  const parts = new Map(), asked = new Map(), marked = new Set(), said = new Map();
  let at = 0, anchor = 0, columns = 1, size = 140, last = "", shown = new Map();

  // The grid: a box as high as all rows, in it the tiles of the rows that are seen.
  const pane = document.createElement("div"), sky = document.createElement("div");
  pane.className = "pane";
  sky.className = "sky";
  for (const [name, value] of [["role", "listbox"], ["aria-multiselectable", "true"], ["aria-label", "Faces"], ["tabindex", "0"]]) sky.setAttribute(name, value);
  pane.append(sky);
  list.replaceWith(pane);
  form.parentNode.querySelector(".pager")?.remove();

  const get = async (address, options) => {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error?.message ?? answer.statusText);
    return body;
  };
  // A part begins behind the one before it, where that is here: who decides meanwhile makes no face come twice or never.
  const fetchPart = async (number) => {
    const query = new URL(form.dataset.tiles, location.href), before = parts.get(number - 1);
    query.searchParams.set("most", PART);
    if (before?.next && before.faces.length === PART && !query.searchParams.has("like")) query.searchParams.set("after", before.next);
    else query.searchParams.set("skip", number * PART);
    const found = await get(query);
    parts.set(number, found);
    if (parts.size > KEPT) {
      const here = Math.floor(at / PART), far = [...parts.keys()].sort((a, b) => Math.abs(b - here) - Math.abs(a - here))[0];
      parts.delete(far);
    }
    return found;
  };
  const part = (number) => {
    if (parts.has(number)) return parts.get(number);
    if (!asked.has(number)) asked.set(number, fetchPart(number).catch((error) => tell(error.message)).finally(() => { asked.delete(number); draw(); }));
    return asked.get(number);
  };
  const face = (place) => parts.get(Math.floor(place / PART))?.faces[place % PART];
  const id = (place) => face(place)?.[0];

  const tell = (text) => { standing.textContent = text; };
  const count = () => {
    const all = marked.size
      ? words.counted(total, "{marked} marked of {count} face", "{marked} marked of {count} faces", { marked: marked.size })
      : words.counted(total, "{count} face", "{count} faces");
    tell(`${all}${last ? `. ${last}` : ""}`);
  };

  const place = (tile, n) => {
    tile.style.transform = `translate(${(n % columns) * size}px, ${Math.floor(n / columns) * size}px)`;
  };
  const paint = (tile, n) => {
    const known = face(n), status = known && (said.get(known[0]) ?? [known[3], known[4]]);
    tile.className = `tile ${status ? status[0] : "coming"}${known && marked.has(known[0]) ? " marked" : ""}${n === at ? " here" : ""}`;
    tile.setAttribute("aria-selected", String(Boolean(known && marked.has(known[0]))));
    const why = status?.[1] ? `, ${words.said(status[1].replaceAll("_", " "))}` : "";
    const told = known ? `${known[1]}, ${words.said(status[0])}${why}` : words.said("Face {number}", { number: n + 1 });
    tile.setAttribute("aria-label", told);
    tile.title = told;
    if (known && !tile.firstChild) {
      const picture = new Image();
      picture.src = `${form.dataset.pictures}${known[0]}`;
      picture.alt = "";
      picture.draggable = false;
      tile.append(picture);
    }
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(pane.scrollTop / size) - 2) * columns;
    const end = Math.min(total, (Math.ceil((pane.scrollTop + pane.clientHeight) / size) + 2) * columns);
    for (const [n, tile] of shown) if (n < first || n >= end) { tile.remove(); shown.delete(n); }
    for (let number = Math.floor(first / PART); number <= Math.floor(Math.max(first, end - 1) / PART); number++) part(number);
    for (let n = first; n < end; n++) {
      let tile = shown.get(n);
      if (!tile) {
        tile = document.createElement("div");
        tile.id = `n${n}`;
        tile.setAttribute("role", "option");
        tile.setAttribute("aria-posinset", n + 1);
        tile.setAttribute("aria-setsize", total);
        tile.style.width = tile.style.height = `${size - 6}px`;
        tile.dataset.n = n;
        place(tile, n);
        shown.set(n, tile);
        sky.append(tile);
      }
      paint(tile, n);
    }
    if (shown.has(at)) sky.setAttribute("aria-activedescendant", `n${at}`);
    else sky.removeAttribute("aria-activedescendant");
  };
  const lay = () => {
    const wide = pane.clientWidth;
    columns = Math.max(3, Math.floor(wide / 132));
    size = wide / columns;
    sky.style.height = `${Math.ceil(total / columns) * size}px`;
    for (const tile of shown.values()) tile.remove();
    shown = new Map();
    draw();
  };
  const reveal = (n) => {
    const top = Math.floor(n / columns) * size;
    if (top < pane.scrollTop) pane.scrollTop = top;
    else if (top + size > pane.scrollTop + pane.clientHeight) pane.scrollTop = top + size - pane.clientHeight;
  };
  const go = (n) => { at = Math.min(Math.max(0, n), total - 1); reveal(at); draw(); };

  // Marking: one, a range, all.
  const range = async (from, to) => {
    const [low, high] = from < to ? [from, to] : [to, from];
    if (high - low >= MOST) { tell(words.said("At most {most} faces at once.", { most: MOST })); return; }
    for (let number = Math.floor(low / PART); number <= Math.floor(high / PART); number++) await part(number);
    for (let n = low; n <= high; n++) if (id(n)) marked.add(id(n));
    count();
    draw();
  };
  const toggle = (n) => {
    const one = id(n);
    if (!one) return;
    if (!marked.delete(one)) marked.add(one);
    anchor = n;
    count();
    draw();
  };
  sky.addEventListener("click", (event) => {
    const tile = event.target.closest("[data-n]");
    if (!tile) return;
    at = Number(tile.dataset.n);
    if (event.shiftKey) range(anchor, at); else toggle(at);
    sky.focus({ preventScroll: true });
  });
  sky.addEventListener("dblclick", (event) => { const tile = event.target.closest("[data-n]"); if (tile) large(Number(tile.dataset.n)); });

  // Deciding: what is marked, else the face under the hand. Parts of one step, so that one undo takes all back.
  const answers = deciding ? [...deciding.querySelectorAll("button[name=answer]")] : [];
  const field = (name) => form.elements[name];
  const ready = () => {
    for (const name of ["note", "by"]) {
      if (field(name).value.trim()) continue;
      if (near.open) near.close();
      tell(name === "note" ? words.said("Say why, once; it stands in the report. Then decide again.") : words.said("Say who you are, once. Then decide again."));
      field(name).focus();
      return false;
    }
    return true;
  };
  // Decisions and undos reach the server in the order of the keys: an undo that is quicker than its decision waits for it.
  let turn = Promise.resolve();
  const inTurn = (act) => { turn = turn.then(act); };
  const decide = (answer, faces, andThen) => {
    if (!deciding || !faces.length || !ready()) return;
    inTurn(() => send(answer, faces));
    andThen?.();
  };
  const send = async (answer, faces) => {
    const step = `person-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    const counts = new Map();
    try {
      for (let start = 0; start < faces.length; start += AT_ONCE) {
        const body = new URLSearchParams({ answer, note: field("note").value, by: field("by").value, step });
        for (const one of faces.slice(start, start + AT_ONCE)) body.append("face", one);
        const done = await get(form.action, { method: "POST", body });
        if (!start) past.push([step, faces]);
        for (const [one, status] of Object.entries(done.faces)) {
          said.set(one, status);
          marked.delete(one);
          counts.set(status[0], (counts.get(status[0]) ?? 0) + 1);
        }
        last = `${[...counts].map(([status, number]) => `${words.number(number)} ${words.said(status)}`).join(", ")}. `;
        count();
        draw();
      }
      undoable();
    } catch (error) {
      tell(words.said("Not decided: {why} What was marked is still marked.", { why: error.message }));
    }
  };
  const past = [];
  const undoable = () => {
    count();
    if (!past.length) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words.said("Undo");
    button.addEventListener("click", undo);
    standing.append(" ", button);
  };
  const undo = () => inTurn(takeBack);
  const takeBack = async () => {
    const step = past.pop();
    if (!step) { tell(words.said("Nothing of this page is left to take back; earlier steps are under Decisions.")); return; }
    try {
      last = (await get(`${form.dataset.decisions}/${step[0]}/undo`, { method: "POST" })).said;
      for (const one of step[1]) said.delete(one);
      undoable();
      await renew(step[1]);
    } catch (error) {
      past.push(step);
      tell(error.message);
    }
  };
  // What stands of some faces now: their parts are asked for again where they lie.
  const renew = async (faces) => {
    const wanted = new Set(faces), stale = [...parts].filter(([, found]) => found.faces.some((one) => wanted.has(one[0])));
    await Promise.all(stale.map(async ([, found]) => {
      for (const one of found.faces.filter((item) => wanted.has(item[0])).slice(0, 40)) {
        const page = await fetch(`${form.dataset.face}/${one[0]}?part=1`).then((answer) => answer.text());
        const tag = new DOMParser().parseFromString(page, "text/html").querySelector("h2 .tag");
        if (tag) { one[3] = [...tag.classList].find((name) => name !== "tag"); one[4] = ""; }
      }
    }));
    draw();
  };
  const chosen = () => marked.size ? [...marked] : [id(at)].filter(Boolean);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = event.submitter?.value;
    if (answer) say(answer);
  });
  let reason = answers.find((button) => button.value.startsWith("reject:"))?.value ?? "";
  const say = (answer) => {
    if (answer.startsWith("reject:")) reason = answer;
    const single = !marked.size, faces = near.open ? [id(at)].filter(Boolean) : chosen();
    decide(answer, faces, near.open ? () => large(at + 1) : single ? () => go(at + 1) : undefined);
  };
  for (const [place, button] of answers.entries()) {
    const key = document.createElement("kbd");
    key.textContent = place + 1;
    button.prepend(key, " ");
  }

  // One face large, with who said what and its neighbours.
  const inside = document.getElementById("near-face");
  const large = async (n) => {
    if (n >= total) { near.close(); return; }
    if (n < 0) return;
    go(n);
    await part(Math.floor(n / PART));
    const one = id(n);
    if (!one) return;
    if (!near.open) {
      near.showModal();
      if (deciding) near.append(answersBox());
    }
    const page = await fetch(`${form.dataset.face}/${one}?part=1`).then((answer) => answer.text());
    if (id(at) !== one) return;
    inside.replaceChildren(...new DOMParser().parseFromString(page, "text/html").body.childNodes);
    if (id(n + 1)) new Image().src = `${form.dataset.pictures}${id(n + 1)}?size=crop`;
  };
  const answersBox = () => {
    const old = near.querySelector(".answers");
    if (old) return old;
    const box = deciding.querySelector(".answers").cloneNode(true);
    for (const button of box.querySelectorAll("button")) {
      button.type = "button";
      button.addEventListener("click", () => say(button.value));
    }
    return box;
  };
  document.getElementById("near-back").addEventListener("click", () => large(at - 1));
  document.getElementById("near-next").addEventListener("click", () => large(at + 1));
  document.getElementById("near-shut").addEventListener("click", () => near.close());
  near.addEventListener("close", () => sky.focus({ preventScroll: true }));

  // Keys: those of the workers' pages (1 to 9, arrows, Ctrl+Z), and what the person chose for the rest.
  const CHOSEN = JSON.parse(form.dataset.keys);
  const MOVES = () => ({ ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: columns * Math.floor(pane.clientHeight / size), PageUp: -columns * Math.floor(pane.clientHeight / size), Home: -total, End: total });
  const anywhere = (key) => {
    const number = Number(key);
    if (answers[number - 1]) say(answers[number - 1].value);
    else if (key === CHOSEN.keep) say("keep");
    else if (key === CHOSEN.reject && reason) say(reason);
    else if (key === CHOSEN.undo) undo();
    else return false;
    return true;
  };
  const atGrid = (key, event) => {
    const move = MOVES()[key];
    if (move !== undefined) { go(at + move); if (event.shiftKey) range(anchor, at); else if (!marked.size) anchor = at; }
    else if (key === " ") toggle(at);
    else if (key === CHOSEN.all) range(0, Math.min(total, MOST) - 1);
    else if (key === "Escape") { marked.clear(); count(); draw(); }
    else if (key === CHOSEN.large || key === "Enter") large(at);
    else if (key === CHOSEN.like && id(at)) location.assign(`${form.dataset.face}?like=${id(at)}`);
    else return anywhere(key);
    return true;
  };
  const atLarge = (key) => {
    if (key === "ArrowRight" || key === "ArrowLeft") large(at + (key === "ArrowRight" ? 1 : -1));
    else if (key === CHOSEN.large) near.close();
    else return anywhere(key);
    return true;
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, typing = event.target.closest("input:not([type=checkbox]),select,textarea,summary");
    if (typing) return;
    if ((event.ctrlKey || event.metaKey) && key === "z") { event.preventDefault(); undo(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const done = near.open ? atLarge(key) : event.target === sky || event.target === document.body ? atGrid(key, event) : anywhere(key);
    if (done) event.preventDefault();
  });

  if (deciding) {
    const keys = deciding.querySelector(".keys");
    keys.hidden = false;
    keys.textContent = words.said("Keys: arrows, Shift marks a range, Space marks, Esc marks none, 1–9 answers, {keys}.", { keys: form.dataset.toldKeys });
  }
  pane.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(lay).observe(pane);
  count();
  lay();
  if (!document.activeElement || document.activeElement === document.body) sky.focus({ preventScroll: true });
})();
