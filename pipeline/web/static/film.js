// The film beside its original under a wipe, frame by frame, and its timeline to seek in. One film holds both halves, so
// that they cannot run apart. Without script the film plays as a film does.
(() => {
  const wipe = document.getElementById("wipe");
  if (!wipe) return;
  const canvas = wipe.querySelector("canvas"), pen = canvas.getContext("2d"), box = wipe.querySelector(".wipe-box");
  const share = wipe.querySelector("[data-wipe]"), seek = wipe.querySelector("[data-seek]"), where = wipe.querySelector("[data-where]");
  const line = wipe.querySelector(".wipe-line"), strip = document.querySelector(".timeline-box"), head = document.querySelector(".timeline-head");
  const button = (name) => wipe.querySelector(`[data-do=${name}]`);
  const film = document.createElement("video");
  Object.assign(film, { src: wipe.dataset.src, muted: true, playsInline: true, preload: "auto", loop: true });
  let times = [], frame = 1;

  function draw() {
    const wide = film.videoWidth / 2, high = film.videoHeight;
    if (!wide || film.readyState < 2) return;
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const cut = Math.round(wide * Number(share.value) / 100);
    if (cut < wide) pen.drawImage(film, wide + cut, 0, wide - cut, high, cut, 0, wide - cut, high);
    if (cut > 0) pen.drawImage(film, 0, 0, cut, high, 0, 0, cut, high);
    line.style.left = `${100 * cut / wide}%`;
  }
  function numberAt(time) {
    let low = 0, high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time + 0.002) low = middle; else high = middle - 1;
    }
    return low + 1;
  }
  function tell(time) {
    frame = numberAt(time);
    seek.value = frame;
    seek.setAttribute("aria-valuetext", words.said("frame {frame} of {frames}", { frame, frames: times.length }));
    const seconds = times[frame - 1].toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    where.textContent = words.said("frame {frame} of {frames}, {seconds} s", { frame, frames: times.length, seconds });
    if (head) Object.assign(head, { hidden: false }).style.left = `${100 * (frame - 0.5) / times.length}%`;
  }
  function shown(_now, about) {
    draw();
    if (!film.paused) tell(about.mediaTime); // else a picture on its way would take back where somebody went
    film.requestVideoFrameCallback(shown);
  }
  // The middle of a frame's time: its edges belong to the frames beside it.
  function go(number) {
    frame = Math.min(Math.max(number, 1), times.length);
    film.pause();
    const next = frame < times.length ? times[frame] : 2 * times[frame - 1] - (times[frame - 2] ?? times[frame - 1] - 0.04);
    film.currentTime = (times[frame - 1] + next) / 2;
    tell(times[frame - 1]);
  }
  const acts = {
    play: () => film.paused ? film.play() : film.pause(),
    back: () => go(frame - 1),
    on: () => go(frame + 1),
    sound: () => { film.muted = !film.muted; button("sound").setAttribute("aria-pressed", String(!film.muted)); },
  };
  for (const name of Object.keys(acts)) button(name).addEventListener("click", acts[name]);
  for (const name of ["play", "pause"]) film.addEventListener(name, () => { button("play").textContent = film.paused ? words.said("Play") : words.said("Pause"); });
  for (const name of ["seeked", "loadeddata"]) film.addEventListener(name, draw);
  share.addEventListener("input", draw);
  seek.addEventListener("input", () => go(Number(seek.value)));

  const part = (event, of) => { const seen = of.getBoundingClientRect(); return Math.min(Math.max((event.clientX - seen.left) / seen.width, 0), 1); };
  const follow = (event) => { share.value = Math.round(100 * part(event, box)); draw(); };
  box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); follow(event); event.preventDefault(); });
  box.addEventListener("pointermove", (event) => { if (box.hasPointerCapture(event.pointerId)) follow(event); });
  // A click on the timeline seeks to where it was; with Enter on a moment, to its first frame.
  strip?.addEventListener("click", (event) => {
    event.preventDefault();
    const moment = event.target.closest("a[data-frame]");
    go(event.detail ? Math.floor(part(event, strip) * times.length) + 1 : Number(moment?.dataset.frame));
  });
  for (const link of document.querySelectorAll("td a[data-frame]")) link.addEventListener("click", () => go(Number(link.dataset.frame)));

  const again = document.getElementById("again");
  function mark(edge) {
    const [first, last] = (again.elements.again.value.match(/^(\d+)(?:-(\d+))?$/) ?? []).slice(1).map(Number);
    const ends = edge === "first" ? [frame, Math.max(frame, last || first || frame)] : [Math.min(frame, first || frame), frame];
    again.elements.again.value = ends.join("-");
  }
  if (again) {
    for (const item of again.querySelectorAll(".scripted")) item.hidden = false;
    for (const item of again.querySelectorAll("[data-mark]")) item.addEventListener("click", () => mark(item.dataset.mark));
  }
  const keys = { ",": acts.back, ".": acts.on, " ": acts.play, i: () => again && mark("first"), o: () => again && mark("last") };
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=range]),textarea,select"), pressing = event.key === " " && event.target.closest("button,a,summary,video");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || pressing || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  fetch(wipe.dataset.times, { headers: { Accept: "application/json" } }).then((answer) => answer.json()).then((told) => {
    if (!told.times?.length || !film.requestVideoFrameCallback) return;
    times = told.times;
    seek.max = times.length;
    wipe.hidden = false;
    document.getElementById("film").hidden = true;
    film.requestVideoFrameCallback(shown);
    tell(times[0]);
    draw();
  }).catch(() => {}); // The film itself stays to be looked at.
})();
