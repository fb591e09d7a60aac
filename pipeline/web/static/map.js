// The map of faces: cells coloured by status; a line drawn round some, or a square moved by keys, lists them.
(() => {
  const canvas = document.getElementById("map"), said = document.getElementById("map-said"), brush = canvas.getContext("2d");
  for (const item of document.querySelectorAll(".scripted")) item.hidden = false;
  const STATUSES = ["approved", "rejected", "disputed", "undecided"], CORNERS = 24, EDGE = 12;
  let cells = [], across = 1, line = [], square = null;

  const colours = () => Object.fromEntries(STATUSES.map((name) => {
    const dot = document.querySelector(`.dot.${name}`);
    return [name, getComputedStyle(dot).backgroundColor];
  }));
  const px = (value, length) => EDGE + value * (length - 2 * EDGE);
  const draw = () => {
    const paint = colours(), step = (canvas.width - 2 * EDGE) / across;
    brush.clearRect(0, 0, canvas.width, canvas.height);
    for (const [x, y, status, count] of cells) {
      brush.globalAlpha = Math.min(1, 0.7 + Math.log2(1 + count) / 12);
      brush.fillStyle = paint[status];
      const size = Math.max(6, step * Math.min(1.4, 0.8 + count / 20));
      brush.fillRect(px((x + 0.5) / across, canvas.width) - size / 2, px((y + 0.5) / across, canvas.height) - size / 2, size, size);
    }
    brush.globalAlpha = 1;
    const ring = square ? corners(square) : line;
    if (ring.length < 2) return;
    brush.beginPath();
    ring.forEach(([x, y], n) => brush[n ? "lineTo" : "moveTo"](px(x, canvas.width), px(y, canvas.height)));
    brush.closePath();
    brush.lineWidth = 2;
    brush.strokeStyle = getComputedStyle(canvas).color;
    brush.stroke();
  };
  const corners = ({ x, y, half }) => [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]];
  const open = (ring) => {
    if (ring.length < 3) return;
    const every = Math.ceil(ring.length / CORNERS), few = ring.filter((_, n) => n % every === 0);
    const address = new URL(canvas.dataset.list, location.href);
    address.searchParams.set("lasso", few.flat().map((value) => Math.round(1000 * Math.min(1, Math.max(0, value)))).join(","));
    location.assign(address);
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (value, length, whole) => ((value / length) * whole - EDGE) / (whole - 2 * EDGE);
    return [inside(event.clientX - box.left, box.width, canvas.width), inside(event.clientY - box.top, box.height, canvas.height)];
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); square = null; line = [at(event)]; });
  canvas.addEventListener("pointermove", (event) => { if (line.length && event.buttons) { line.push(at(event)); draw(); } });
  canvas.addEventListener("pointerup", () => { const ring = line; line = []; if (ring.length > 4) open(ring); else draw(); });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowRight: [0.03, 0], ArrowLeft: [-0.03, 0], ArrowDown: [0, 0.03], ArrowUp: [0, -0.03] }[event.key];
    square ??= { x: 0.5, y: 0.5, half: 0.1 };
    if (move) { square.x = Math.min(1, Math.max(0, square.x + move[0])); square.y = Math.min(1, Math.max(0, square.y + move[1])); }
    else if (event.key === "+") square.half = Math.min(0.5, square.half + 0.02);
    else if (event.key === "-") square.half = Math.max(0.02, square.half - 0.02);
    else if (event.key === "Enter") open(corners(square));
    else return;
    event.preventDefault();
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  fetch(canvas.dataset.cells, { headers: { Accept: "application/json" } }).then((answer) => answer.json()).then((found) => {
    cells = found.faces;
    across = found.cells;
    const all = cells.reduce((sum, cell) => sum + cell[3], 0);
    said.textContent = words.said("{faces} faces in {places} places.", { faces: all, places: cells.length });
    draw();
  }).catch(() => { said.textContent = words.said("The map could not be read; open the page anew."); });
})();
