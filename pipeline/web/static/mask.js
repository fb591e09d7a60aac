// The mask page: regions move over the clip as it plays, and a rectangle is drawn on the frame. Without script numbers are typed.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  for (const item of document.querySelectorAll(".scripted")) item.hidden = false;
  const regions = JSON.parse(document.getElementById("json").value).regions;
  const corners = (key) => {
    if (key.polygon) return key.polygon;
    const [x, y, w, h] = key.rectangle;
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
  };
  const at = (region, frame) => {
    if (region.frames && (frame < region.frames[0] || frame > region.frames[1])) return [];
    const keys = region.keys, next = keys.findIndex((key) => key.frame >= frame);
    if (next < 0) return corners(keys[keys.length - 1]);
    if (next === 0) return corners(keys[0]);
    const one = corners(keys[next - 1]), other = corners(keys[next]);
    const share = (frame - keys[next - 1].frame) / (keys[next].frame - keys[next - 1].frame);
    return one.map(([x, y], place) => [x + (other[place][0] - x) * share, y + (other[place][1] - y) * share]);
  };
  const box = document.getElementById("clip-box");
  if (box) {
    const film = document.getElementById("clip-film"), picture = box.querySelector("svg");
    const number = document.getElementById("clip-frame"), here = document.getElementById("clip-here");
    const shapes = regions.map(() => picture.appendChild(document.createElementNS(NS, "polygon")));
    const show = () => {
      const frame = Math.floor(film.currentTime * Number(box.dataset.rate) + 1e-3) + 1;
      number.value = frame;
      here.href = `?frame=${frame}#draw`;
      regions.forEach((region, place) => shapes[place].setAttribute("points", at(region, frame).join(" ")));
    };
    const follow = () => { show(); if (!film.paused && !film.ended) requestAnimationFrame(follow); };
    film.addEventListener("play", follow);
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) film.addEventListener(name, show);
    show();
  }
  const frame = document.getElementById("draw-box"), form = document.getElementById("draw-form");
  if (!frame || !form) return;
  const picture = frame.querySelector("svg"), shape = picture.appendChild(document.createElementNS(NS, "rect"));
  const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
  const fields = ["x", "y", "width", "height"];
  let start = null;
  const place = (event) => {
    const seen = picture.getBoundingClientRect();
    const part = (value, low, size, most) => Math.round(Math.min(Math.max((value - low) / size, 0), 1) * most);
    return [part(event.clientX, seen.left, seen.width, width), part(event.clientY, seen.top, seen.height, height)];
  };
  const draw = () => fields.forEach((name) => shape.setAttribute(name, Number(form.elements[name].value) || 0));
  frame.addEventListener("pointerdown", (event) => { start = place(event); frame.setPointerCapture(event.pointerId); event.preventDefault(); });
  frame.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = place(event);
    form.elements.x.value = Math.min(start[0], end[0]);
    form.elements.y.value = Math.min(start[1], end[1]);
    form.elements.width.value = Math.max(1, Math.abs(end[0] - start[0]));
    form.elements.height.value = Math.max(1, Math.abs(end[1] - start[1]));
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, () => { start = null; });
  form.addEventListener("input", draw);
})();
