// Boxes, points, lines and outlines on a picture, with mouse, finger or keyboard. Coordinates are pixels of the picture.
var SHAPES = {
  'crowd-bounding-box': { key: 'boundingBoxes', least: 2, most: 2, one: 'box' },
  'crowd-keypoint': { key: 'keypoints', least: 1, most: 1, one: 'point' },
  'crowd-line': { key: 'lines', least: 2, most: 2, one: 'line' },
  'crowd-polygon': { key: 'polygons', least: 3, most: Infinity, one: 'outline' },
  'crowd-polyline': { key: 'polylines', least: 2, most: Infinity, one: 'line' }
};
var COLOURS = ['#d00000', '#0057d0', '#007a33', '#9c27b0', '#b35900', '#006d77', '#5c4033', '#ad1457'];

function svg(tag, attributes) {
  var element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  Object.keys(attributes).forEach(function (name) { element.setAttribute(name, attributes[name]); });
  return element;
}

function shapeOf(kind, label, points) {
  var xs = points.map(function (p) { return p.x; }), ys = points.map(function (p) { return p.y; });
  if (kind === 'crowd-bounding-box') {
    var left = Math.min.apply(null, xs), top = Math.min.apply(null, ys);
    return { height: Math.max.apply(null, ys) - top, label: label, left: left, top: top, width: Math.max.apply(null, xs) - left };
  }
  return kind === 'crowd-keypoint' ? { label: label, x: xs[0], y: ys[0] } : { label: label, vertices: points };
}

function pointsOf(shape) {
  if (shape.vertices) { return shape.vertices; }
  if (shape.width === undefined) { return [{ x: shape.x, y: shape.y }]; }
  return [{ x: shape.left, y: shape.top }, { x: shape.left + shape.width, y: shape.top + shape.height }];
}

// The instructions of an annotation element, which is drawn again when a script changes its labels or its picture.
function prepared(source, draw) {
  if (source.crowdHelp === undefined) { source.crowdHelp = make('div', {}, [help(source), leftovers(source)]); }
  delete source.dataset.crowdRefused;
  delete source.crowdProblem;
  redraw(source, function () { draw(source); });
  return source.crowdHelp;
}

function drawing(source) {
  var kind = source.localName, about = SHAPES[kind], found = labels(source, 'labels');
  var name = source.getAttribute('name') || 'annotatedResult', instructions = prepared(source, drawing);
  if (!found) { source.replaceChildren(instructions || ''); refuse(source, 'The labels of <' + kind + '> cannot be read.'); return; }
  var view = { kind: kind, about: about, labels: found, label: 0, shapes: [], points: [], at: null, size: { width: 0, height: 0 } };
  var image = make('img', { src: source.getAttribute('src'), alt: 'The picture to mark', class: 'crowd-picture', draggable: 'false' });
  var canvas = svg('svg', { class: 'crowd-canvas', tabindex: '0', role: 'application', 'aria-label': 'Drawing. Arrow keys move the cross, '
    + 'Space sets a point, Enter ends an outline, Backspace takes the last point back.' });
  var none = make('input', { type: 'checkbox' }), items = make('ul', { class: 'crowd-items' }), say = make('p', { role: 'status' });
  var chosen = labelBar(view);
  var done = make('button', { type: 'button' }, ['End the ' + about.one]), back = make('button', { type: 'button' }, ['Undo']);
  var answer = answering(source, name, function () {
    return Object.assign({ inputImageProperties: { height: view.size.height, width: view.size.width } },
      { [about.key]: view.shapes.map(function (shape) { return shapeOf(kind, shape.label, shape.points); }) });
  }, function () {
    if (!view.size.width) { return 'The picture has not loaded; nothing can be marked on it.'; }
    if (view.points.length) { return 'End the ' + about.one + ' that you have begun, or undo it.'; }
    return view.shapes.length || none.checked ? '' : 'Mark something, or tick that there is nothing to mark.';
  }, function (kept) {
    view.shapes = (kept[about.key] || []).map(function (shape) { return { label: shape.label, points: pointsOf(shape) }; });
    view.show();
  });
  view.show = function () { source.crowdKept = view.shapes; answer.keep(); paint(view, canvas); listShapes(view, items); say.textContent = view.shapes.length + ' marked'; };
  view.finish = function () {
    if (view.points.length < about.least) { return; }
    view.shapes.push({ label: found[view.label].label, points: view.points });
    view.points = [];
    none.checked = false;
    view.show();
  };
  done.hidden = about.most === about.least;
  done.addEventListener('click', view.finish);
  back.addEventListener('click', function () { undo(view); });
  none.addEventListener('change', function () { if (none.checked) { view.shapes = []; view.points = []; view.show(); } });
  source.replaceChildren(make('fieldset', { class: 'crowd-field' }, [make('legend', {}, [source.getAttribute('header') || 'Mark the picture']),
    instructions, chosen, make('div', { class: 'crowd-stage' }, [image, make('canvas', { class: 'upper-canvas', 'aria-hidden': 'true' }), canvas]),
    make('div', { class: 'crowd-acts' }, [done, back, make('label', { class: 'crowd-tick' }, [none, make('span', {}, ['There is nothing to mark'])])]),
    items, say, answer.field]));
  function loaded() {
    view.size = { width: image.naturalWidth, height: image.naturalHeight };
    view.at = { x: Math.round(view.size.width / 2), y: Math.round(view.size.height / 2) };
    canvas.setAttribute('viewBox', '0 0 ' + view.size.width + ' ' + view.size.height);
    view.show();
  }
  view.shapes = source.crowdKept || (lenient(source.getAttribute('initial-value') || '') || []).map(function (shape) {
    return { label: shape.label, points: pointsOf(shape) };
  });
  source.crowdKept = view.shapes;
  image.addEventListener('load', loaded);
  if (image.complete && image.naturalWidth) { loaded(); }
  byPointer(view, canvas);
  byKeyboard(view, canvas);
}

function labelBar(view) {
  groups += 1;
  return make('div', { class: 'crowd-labels', role: 'radiogroup', 'aria-label': 'Label' }, view.labels.map(function (item, index) {
    var field = make('input', { type: 'radio', name: 'crowd-label-' + groups, checked: index === 0 });
    field.dataset.crowdSkip = '1';
    field.addEventListener('change', function () { view.label = index; });
    return make('label', { class: 'crowd-star', style: 'border-color:' + COLOURS[index % COLOURS.length] }, [field, make('span', {}, [item.text])]);
  }));
}

function undo(view) {
  if (view.points.length) { view.points.pop(); } else { view.shapes.pop(); }
  view.show();
}

function add(view, point) {
  view.points.push({ x: Math.round(point.x), y: Math.round(point.y) });
  if (view.points.length >= view.about.most) { view.finish(); } else { view.show(); }
}

// A press sets a point; where two make a shape, pulling sets both.
function byPointer(view, canvas) {
  var began = null;
  function place(event) {
    var box = canvas.getBoundingClientRect(), size = view.size;
    function within(value, most) { return Math.max(0, Math.min(most, value)); }
    return { x: within((event.clientX - box.left) * size.width / box.width, size.width),
      y: within((event.clientY - box.top) * size.height / box.height, size.height) };
  }
  canvas.addEventListener('pointerdown', function (event) {
    if (event.button || !view.size.width) { return; }
    began = { x: event.clientX, y: event.clientY };
    canvas.setPointerCapture(event.pointerId);
    add(view, place(event));
  });
  canvas.addEventListener('pointermove', function (event) { view.at = place(event); paint(view, canvas); });
  canvas.addEventListener('pointerup', function (event) {
    var pulled = began && Math.hypot(event.clientX - began.x, event.clientY - began.y) > 4;
    if (pulled && view.about.most === 2 && view.points.length === 1) { add(view, place(event)); }
    began = null;
  });
}

function byKeyboard(view, canvas) {
  canvas.addEventListener('keydown', function (event) {
    var step = (event.shiftKey ? 0.002 : 0.02) * Math.max(view.size.width, view.size.height);
    var move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move && view.at) {
      view.at = { x: Math.max(0, Math.min(view.size.width, view.at.x + move[0] * step)),
        y: Math.max(0, Math.min(view.size.height, view.at.y + move[1] * step)) };
      paint(view, canvas);
    } else if (event.key === ' ' && view.at) { add(view, view.at); }
    else if (event.key === 'Enter') { view.finish(); }
    else if (event.key === 'Backspace' || event.key === 'Delete') { undo(view); }
    else { return; }
    event.preventDefault();
  });
}

function paint(view, canvas) {
  if (!view.size.width) { return; }
  var thick = Math.max(view.size.width, view.size.height) / 250;
  function outline(label, points, open) {
    var index = view.labels.findIndex(function (item) { return item.label === label; });
    var colour = COLOURS[Math.max(0, index) % COLOURS.length];
    var style = { stroke: colour, 'stroke-width': thick, fill: open ? 'none' : colour + '33' };
    if (view.about.most === 1) { return svg('circle', Object.assign(style, { cx: points[0].x, cy: points[0].y, r: 2 * thick })); }
    if (view.kind === 'crowd-bounding-box' && points.length === 2) {
      var box = shapeOf(view.kind, label, points);
      return svg('rect', Object.assign(style, { x: box.left, y: box.top, width: box.width, height: box.height }));
    }
    var tag = view.kind === 'crowd-polygon' && !open ? 'polygon' : 'polyline';
    if (tag === 'polyline') { style.fill = 'none'; }
    return svg(tag, Object.assign(style, { points: points.map(function (p) { return p.x + ',' + p.y; }).join(' ') }));
  }
  var drawn = view.shapes.map(function (shape) { return outline(shape.label, shape.points, false); });
  if (view.points.length) { drawn.push(outline(view.labels[view.label].label, view.points.concat(view.at || []), true)); }
  if (view.at) {
    drawn.push(svg('path', { d: 'M' + view.at.x + ' 0V' + view.size.height + 'M0 ' + view.at.y + 'H' + view.size.width, stroke: '#00000088', 'stroke-width': thick / 2 }));
  }
  canvas.replaceChildren.apply(canvas, drawn);
}

function listShapes(view, items) {
  items.replaceChildren.apply(items, view.shapes.map(function (shape, index) {
    var remove = make('button', { type: 'button', 'aria-label': 'Remove ' + shape.label + ' ' + (index + 1) }, ['Remove']);
    remove.addEventListener('click', function () { view.shapes.splice(index, 1); view.show(); });
    return make('li', {}, [shape.label + ' ', remove]);
  }));
}
