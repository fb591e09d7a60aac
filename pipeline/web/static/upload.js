// Files go up in pieces, one after the other; a line that is cut is tried again, and a file chosen again goes on. What is
// filled in meanwhile stays, and only what came up now is ticked.
(() => {
  const form = document.querySelector("form[data-pieces]");
  if (!form) return;
  const field = form.querySelector("input[type=file]"), said = form.querySelector("[data-said]");
  const length = Number(form.dataset.piece);
  const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  let busy = false;

  async function send(query, piece) {
    for (let again = 0; ; again++) {
      try {
        const answer = await fetch(`${form.dataset.pieces}?${new URLSearchParams(query)}`, { method: "POST", body: piece, headers: { Accept: "application/json" } });
        const told = await answer.json();
        if (answer.ok) return told;
        throw Object.assign(new Error(told.error.message), { told: true });
      } catch (error) {
        if (error.told || again === 9) throw error;
        said.textContent = words.said("The line is cut; trying again …");
        await wait(Math.min(30, 2 ** again));
      }
    }
  }

  async function upload(file) {
    let told = await send({ name: file.name, size: file.size }, file.slice(0, length));
    while (told.have < file.size) {
      said.textContent = `${file.name}: ${Math.floor(100 * told.have / file.size)} %`;
      told = await send({ id: told.id, at: told.have }, file.slice(told.have, told.have + length));
    }
    await show(told.id);
  }

  // The list as the server has it now, ticked as it is here; the address keeps the ticks where the page is loaded anew.
  async function show(id) {
    const ticked = [...document.querySelectorAll("#uploaded input[name=upload]:checked")].map((box) => ["upload", box.value]);
    const address = `${location.pathname}?${new URLSearchParams([...ticked, ["upload", id]])}`;
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const list of ["uploaded", "throw-away"]) {
      const made = page.getElementById(list);
      if (!made) return location.reload();
      document.getElementById(list).replaceWith(made);
    }
    history.replaceState(null, "", address);
  }

  async function all(files) {
    if (busy || !files.length) return;
    busy = true;
    try {
      for (const file of files) await upload(file);
      said.textContent = words.said("Uploaded: {names}", { names: files.map((file) => file.name).join(", ") });
    } catch (error) {
      said.textContent = words.said("Not uploaded: {why}", { why: error.message });
    }
    field.value = "";
    busy = false;
  }

  field.addEventListener("change", () => all([...field.files]));
  all([...field.files]);  // what was chosen before this script was here
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => { event.preventDefault(); form.classList.remove("over"); all([...event.dataTransfer.files]); });
  addEventListener("beforeunload", (event) => { if (busy && !document.hidden) event.preventDefault(); });
})();
