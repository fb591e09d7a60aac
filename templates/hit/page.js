(function () {
  'use strict';
  //= words.js
  var form = $('hit'), note = $('note'), near = $('near'), field = form.elements.assignmentId;
  var faces = list('.face'), groups = list('.all'), buttons = list('#tools [data-value]');
  list('.face label').forEach(function (label) { label.after(document.createElement('output')) });
  // The group of each face, by its place in `groups`; undefined on plain grids.
  var home = faces.map(function (face) { var g = face.closest('.group'); return g ? g.querySelector('.all') : undefined });
  var large = buttons.map(say);
  var before = new Map(), chips = new Map(), past = [], brush = 0, at = 0, began = Date.now(), away = 0, hid = 0;

  function $(id) { return document.getElementById(id) }
  function list(selector, inside) { return [].slice.call((inside || document).querySelectorAll(selector)) }
  function tell(box, text) { box.textContent = text; box.hidden = !text }
  function named(c) { return buttons[c].lastChild.textContent }

  function kept(done) {
    try { if (done) localStorage.setItem('read ' + document.title, 1); return localStorage.getItem('read ' + document.title) } catch (refused) { return null }
  }

  // What is marked. A box is a face or a whole group; its answer is the place of its choice in the bar, or -1.
  function ask(box) { return box.querySelector('select') }
  function own(box) { return ask(box).selectedIndex - 1 }
  function valid(i) { var c = own(faces[i]); return c < 0 && home[i] ? own(home[i]) : c }
  function show(i) {
    var face = faces[i], mine = own(face), c = valid(i), o = face.querySelector('output');
    o.textContent = c < 0 ? '\u2013' : named(c);
    if (c < 0) face.removeAttribute('data-mark'); else face.dataset.mark = buttons[c].dataset.mark;
    if (mine < 0 && c >= 0) face.dataset.by = 'group'; else face.removeAttribute('data-by');
    ask(face).tabIndex = i === at ? 0 : -1;
  }
  function count() {
    var n = faces.filter(function (_, i) { return valid(i) >= 0 }).length;
    $('count').textContent = T(n + ' of ' + faces.length + ' marked');
    return n;
  }
  function draw(box) {
    faces.forEach(function (face, i) { if (face === box || home[i] === box) show(i) });
    if (chips.has(box)) chips.get(box).forEach(function (b, n) { b.setAttribute('aria-pressed', n === own(box)) });
    count();
  }
  function put(box, c) {
    ask(box).selectedIndex = c + 1;
    before.set(box, c);
    draw(box);
    form.dispatchEvent(new Event('change', { bubbles: true }));
  }
  function mark(box, c) { past.push([box, own(box)]); put(box, c) }
  function undo() {
    var p = past.pop();
    if (!p) return;
    put(p[0], p[1]);
    var i = faces.indexOf(p[0]);
    if (i < 0) goGroup(groups.indexOf(p[0])); else if (near.open) look(i); else go(i);
  }

  // Going about.
  function focus(box, scroll) {
    ask(box).focus({ preventScroll: true });
    if (scroll) (groups.indexOf(box) < 0 ? box : box.parentNode).scrollIntoView({ block: 'nearest' });
  }
  function here(i) { var old = at; at = i; show(old); show(i) }
  function go(i, still) { if (i < 0 || i >= faces.length) return; here(i); focus(faces[i], !still) }
  function goGroup(g, still) { if (g >= 0 && g < groups.length) focus(groups[g], !still) }
  // A frame that has not got the keyboard yet may not take it: it is taken when it comes.
  function hands() {
    groups.length ? goGroup(0, true) : go(0, true);
    onfocus = document.hasFocus() ? null : hands;
  }
  // The next open place behind this one, else simply the next one, else this one.
  function after(i, all, isOpen) {
    for (var n = i + 1; n < all; n++) if (isOpen(n)) return n;
    return Math.min(i + 1, all - 1);
  }
  function nextFace(i) { return after(i, faces.length, function (n) { return own(faces[n]) < 0 }) }
  function nextGroup(g) { return after(g, groups.length, function (n) { return own(groups[n]) < 0 }) }
  function columns() {
    var box = faces[at].parentNode.children, n = 0;
    while (n < box.length && box[n].offsetTop === box[0].offsetTop) n++;
    return Math.max(n, 1);
  }
  function pick(n) {
    brush = n;
    buttons.forEach(function (b, i) { b.setAttribute('aria-pressed', i === n) });
    // A phone has room for two of a group's answers: the first one, and what is chosen in the bar.
    chips.forEach(function (row) { row.forEach(function (c, i) { c.className = i === n ? 'brush' : i ? '' : 'good' }) });
  }

  // One face at a time, with the person as large beside it.
  function say(button, n) {
    var c = button.cloneNode(true);
    c.addEventListener('click', function () { decide(n) });
    $('say').appendChild(c);
    return c;
  }
  function decide(n) { var open = nextFace(at), last = at; mark(faces[at], n); look(open === last ? faces.length : open) }
  function source(img) { return img.srcset ? img.srcset.split(' ')[0] : img.getAttribute('src') }
  function look(i) {
    if (i < 0) return;
    if (i >= faces.length) { near.close(); $('rest').scrollIntoView({ block: 'center' }); return }
    here(i);
    var c = valid(i), pair = faces[i].querySelector('.ref');
    $('big').setAttribute('src', source(faces[i].querySelector('.it')));
    $('big').alt = T('Face ' + (i + 1) + (faces[i].querySelector('a.show') ? ', blurred: tap it to see it' : ', large'));
    $('which').textContent = T('Face ' + (i + 1) + ' of ' + faces.length) + (c < 0 ? '' : ': ' + named(c));
    if (pair) person([pair], 0);
    large.forEach(function (b, n) { b.setAttribute('aria-pressed', n === c) });
    if (!near.open) near.showModal();
    if (faces[i + 1]) new Image().src = source(faces[i + 1].querySelector('.it'));
  }
  function person(pictures, chosen) {
    var box = $('refs'), big = new Image(), row = document.createElement('div');
    if (!pictures.length) return;
    big.src = source(pictures[chosen]);
    big.alt = T('The person, large');
    box.replaceChildren(big);
    near.classList.add('two-sides');
    if (pictures.length < 2) return;
    pictures.forEach(function (p, n) {
      var b = document.createElement('button'), small = new Image();
      b.type = 'button';
      small.src = p.getAttribute('src');
      small.alt = T('Photograph ' + (n + 1));
      b.appendChild(small);
      b.addEventListener('click', function () { person(pictures, n) });
      row.appendChild(b);
    });
    box.appendChild(row);
  }

  document.documentElement.className = 'js';
  $('keys').hidden = false;
  if (mine) {
    buttons.forEach(function (b, n) { if (mine[n]) b.firstChild.textContent = mine[n].toUpperCase() });
    $('keys').append(' ' + T('Your keys, each for the usual one:') + ' ' + [].map.call(mine, function (key, n) { return key.toUpperCase() + ' ' + USUAL[n].toUpperCase() }).join(', ') + '.');
  }
  if (field.value.charAt(0) === '$') field.value = query.get('assignmentId') || NA;
  if (form.getAttribute('action').charAt(0) === '$') {
    var to = query.get('turkSubmitTo') || (/workersandbox/.test(document.referrer) ? 'https://workersandbox.mturk.com' : 'https://www.mturk.com');
    form.action = to.replace(/\/+$/, '') + '/mturk/externalSubmit';
  }
  // Read once is read: our marketplace closes it itself; on Mechanical Turk the browser remembers the page's title.
  // A frame may get its width after this.
  var how = $('how'), wide = matchMedia('(min-width:860px)');
  if (kept()) how.open = false;
  if (how.open) (wide.onchange = function () { how.open = wide.matches })();

  // A blurred picture becomes the clear one where it stands; without this script its link opens it.
  function unveil(a) {
    var img = a.previousElementSibling;
    img.src = a.href;
    img.alt = img.alt.replace(/,[^,]*$/, '');
    a.remove();
    if (img.closest('.refs')) person(list('.who .refs img'), 0);
  }
  list('a.show').forEach(function (a) {
    a.addEventListener('click', function (e) { e.preventDefault(); e.stopPropagation(); unveil(a) });
  });
  $('big').addEventListener('click', function () { list('a.show', faces[at]).forEach(unveil); look(at) });

  // Mouse and finger.
  faces.forEach(function (face, i) {
    face.addEventListener('click', function (e) {
      e.preventDefault();
      mark(face, own(face) === brush ? -1 : brush);
      go(i);
    });
    face.addEventListener('focusin', function () { if (at !== i) here(i) });
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'look';
    button.tabIndex = -1;
    button.textContent = '\u2922';
    button.setAttribute('aria-label', T('Face ' + (i + 1) + ' large'));
    button.addEventListener('click', function (e) { e.stopPropagation(); look(i) });
    face.appendChild(button);
    face.querySelector('.it').addEventListener('error', function () { this.alt = T('This picture did not load. You can skip it.') });
  });
  groups.forEach(function (group) {
    var row = document.createElement('div');
    row.className = 'chips';
    chips.set(group, buttons.map(function (button, n) {
      var c = button.cloneNode(true);
      c.tabIndex = -1;
      c.addEventListener('click', function () { mark(group, own(group) === n ? -1 : n) });
      row.appendChild(c);
      return c;
    }));
    group.after(row);
  });
  // What somebody chose in the list itself, with a screen reader for instance: undo needs what was before.
  faces.concat(groups).forEach(function (box) {
    before.set(box, own(box));
    ask(box).addEventListener('change', function () {
      past.push([box, before.get(box)]);
      before.set(box, own(box));
      draw(box);
    });
  });
  buttons.forEach(function (b, n) { b.addEventListener('click', function () { pick(n) }) });
  person(list('.who .refs img'), 0);
  $('undo').addEventListener('click', undo);
  $('one').addEventListener('click', function () { look(at) });
  $('prev').addEventListener('click', function () { look(at - 1) });
  $('fwd').addEventListener('click', function () { look(at + 1) });
  $('shut').addEventListener('click', function () { near.close() });
  near.addEventListener('close', function () { go(at) });
  list('.size').forEach(function (b) {
    b.addEventListener('click', function () {
      list('#grid,.group .grid').concat(document.documentElement).forEach(function (box) {
        var w = parseInt(getComputedStyle(box).getPropertyValue('--tile'), 10) + Number(b.dataset.step);
        box.style.setProperty('--tile', Math.min(420, Math.max(80, w)) + 'px');
      });
    });
  });

  // Keys. Letters are the same large and small: Caps Lock is easily on.
  function step(n) {
    var row = home[at] ? list('.face', home[at].parentNode) : faces, place = row.indexOf(faces[at]) + n;
    if (row[place]) go(faces.indexOf(row[place])); else if (home[at]) goGroup(groups.indexOf(home[at]) + (n > 1 ? 1 : 0));
  }
  function atFace(k, n) {
    var way = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[k];
    if (n >= 0 && home[at]) { mark(faces[at], n); step(1) }
    else if (n >= 0) { pick(n); mark(faces[at], n); go(nextFace(at)) }
    else if (way) step(way);
    else if (k === 'Home' || k === 'End') go(k === 'Home' ? 0 : faces.length - 1);
    else if (k === 'v') list('a.show', faces[at]).forEach(unveil);
    else if (k === ' ') { n = own(faces[at]) + 1; mark(faces[at], n < buttons.length ? n : -1) }
    else if (k === 'Delete' || k === 'Backspace') mark(faces[at], -1);
    else if (k === 'Escape' && home[at]) goGroup(groups.indexOf(home[at]));
    else return false;
    return true;
  }
  function atGroup(box, k, n) {
    var g = groups.indexOf(box), inside = list('.face', box.parentNode);
    if (n >= 0) { mark(box, n); goGroup(nextGroup(g)) }
    else if (k === 'ArrowDown' || k === 'ArrowUp') goGroup(g + (k === 'ArrowDown' ? 1 : -1));
    else if (k === 'ArrowRight' || k === 'ArrowLeft') go(faces.indexOf(inside[k === 'ArrowRight' ? 0 : inside.length - 1]));
    else if (k === 'Delete' || k === 'Backspace') mark(box, -1);
    else if (k === 'z') look(faces.indexOf(inside[0]));
    else return false;
    return true;
  }
  function atLarge(k, n) {
    var way = { ArrowRight: 1, ArrowLeft: -1 }[k];
    if (n >= 0) decide(n); else if (way) look(at + way); else if (k === 'z') near.close(); else return false;
    return true;
  }
  function everywhere(k, n) {
    if (k === 'r') { $('rest').querySelector('input').checked = true; form.dispatchEvent(new Event('change', { bubbles: true })); $('send').focus() }
    else if (k === 'h') { how.open = !how.open; if (how.open) how.scrollIntoView({ block: 'nearest' }) }
    else if (n >= 0 && !groups.length) pick(n);
    else return false;
    return true;
  }
  document.addEventListener('keydown', function (e) {
    var k = e.key.length === 1 ? usual(e.key.toLowerCase()) : e.key, n = k >= '1' && k <= '9' && Number(k) <= buttons.length ? Number(k) - 1 : -1;
    var face = e.target.closest && e.target.closest('.face'), group = e.target.closest && e.target.closest('.all'), done;
    if (e.target.tagName === 'TEXTAREA') return;
    if ((e.ctrlKey || e.metaKey) && k === 'z') { e.preventDefault(); undo(); return }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (near.open) done = atLarge(k, n);
    else if (k === 'z' && face) { look(at); done = true }
    else done = (face && atFace(k, n)) || (group && atGroup(group, k, n)) || everywhere(k, n);
    if (k === 'Enter' && e.target.tagName === 'SELECT') { form.requestSubmit($('send')); done = true }
    // A list would jump to the answer that begins with a letter, unseen.
    if (done || (k.length === 1 && e.target.tagName === 'SELECT')) e.preventDefault();
  });

  // Sending.
  document.addEventListener('visibilitychange', function () {
    if (document.hidden) hid = Date.now(); else if (hid) { away += Date.now() - hid; hid = 0 }
  });
  form.addEventListener('submit', function (e) {
    if (e.submitter && e.submitter.hasAttribute('formnovalidate')) return;
    var open = faces.length - count();
    if (open && !form.elements.rest.value) {
      e.preventDefault();
      $('rest').classList.add('ask');
      tell($('open'), T(open === 1 ? '1 face is not marked yet. Say what shall happen to it, or go on marking.' : open + ' faces are not marked yet. Say what shall happen to them, or go on marking.'));
      $('rest').scrollIntoView({ block: 'center' });
      $('rest').querySelector('input').focus();
      return;
    }
    form.elements.elapsed.value = Date.now() - began - away;
    kept(true);
  });
  groups.forEach(draw);
  faces.forEach(function (_, i) { show(i) });
  pick(Number($('grid').dataset.brush));
  count();
  // Hands on the first face at once, except where nothing can be answered.
  if (field.value === NA) { $('send').disabled = true; tell(note, T('This is a preview. Accept the task to answer it.')) }
  else hands();
})();
