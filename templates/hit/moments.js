(function () {
  'use strict';
  //= words.js
  var form = document.getElementById('hit'), note = document.getElementById('note'), field = form.elements.assignmentId;
  var moments = [].slice.call(document.querySelectorAll('.moment')), began = Date.now(), away = 0, hid = 0;

  document.documentElement.className = 'js';
  document.getElementById('keys').hidden = false;
  if (field.value.charAt(0) === '$') field.value = query.get('assignmentId') || NA;
  if (form.getAttribute('action').charAt(0) === '$') {
    var to = query.get('turkSubmitTo') || (/workersandbox/.test(document.referrer) ? 'https://workersandbox.mturk.com' : 'https://www.mturk.com');
    form.action = to.replace(/\/+$/, '') + '/mturk/externalSubmit';
  }
  // Read once is read: our marketplace closes it itself; on Mechanical Turk the browser remembers the page's title.
  var how = document.getElementById('how'), title = 'read ' + document.title;
  try { if (localStorage.getItem(title)) how.open = false } catch (refused) { /* not kept */ }
  // A frame may get its width after this.
  var wide = matchMedia('(min-width:521px)');
  if (how.open) (wide.onchange = function () { how.open = wide.matches })();

  // Blurred pictures become the clear ones where they stand; without this script the link opens the first.
  [].slice.call(document.querySelectorAll('a.show')).forEach(function (a) {
    a.addEventListener('click', function (event) {
      event.preventDefault();
      if (a.hasAttribute('data-one')) { a.previousElementSibling.src = a.href; a.remove(); return }
      [].slice.call(a.closest('.moment').querySelectorAll('[data-clear]')).forEach(function (it) {
        it.src = it.dataset.clear;
        if (it.alt) it.alt = it.alt.replace(/,[^,]*$/, '');
        it.removeAttribute('poster');
      });
      a.parentNode.remove();
    });
  });

  // The brush: a canvas of the mask's own cells over the picture.
  [].slice.call(document.querySelectorAll('.paint')).forEach(function (paint) {
    var size = Number(paint.dataset.grid), key = paint.dataset.key, boxes = paint.querySelector('.boxes');
    var tools = paint.parentNode.querySelector('.brush'), canvas = document.createElement('canvas');
    var cells = new Uint8Array(size * size), mode = 1, small = false, down = false, last = null;
    var mask = form.elements['mask.' + key], marked = form.querySelector('[name="moment.' + key + '"][value=marked]');
    canvas.width = canvas.height = size;
    canvas.setAttribute('aria-hidden', 'true');
    paint.insertBefore(canvas, boxes);
    boxes.hidden = true;
    tools.hidden = false;
    var ink = canvas.getContext('2d');
    ink.fillStyle = '#f0f';
    // What was painted before a pause or a reload.
    if (mask.value.length === size * size / 4) for (var n = 0; n < cells.length; n++)
      if (parseInt(mask.value[n >> 2], 16) >> 3 - n % 4 & 1) { cells[n] = 1; ink.fillRect(n % size, n / size | 0, 1, 1) }
    // "I marked it" without a mark would be no answer.
    function ask() {
      var bare = marked.checked && !mask.value && !boxes.querySelector(':checked');
      marked.setCustomValidity(bare ? document.getElementById('bare').textContent : '');
    }
    form.addEventListener('change', ask);
    ask();
    function keep() {
      var text = '', i, nibble;
      for (i = 0; i < cells.length; i += 4) {
        nibble = cells[i] * 8 + cells[i + 1] * 4 + cells[i + 2] * 2 + cells[i + 3];
        text += nibble.toString(16);
      }
      mask.value = /[1-9a-f]/.test(text) ? text : '';
      if (mask.value) marked.checked = true;
      mask.dispatchEvent(new Event('change', {bubbles: true}));
    }
    function dot(x, y) {
      var wide = small ? .8 : 2.2;
      for (var r = Math.max(0, Math.ceil(y - wide)); r <= Math.min(size - 1, y + wide); r++)
        for (var c = Math.max(0, Math.ceil(x - wide)); c <= Math.min(size - 1, x + wide); c++)
          if ((r - y) * (r - y) + (c - x) * (c - x) <= wide * wide) {
            cells[r * size + c] = mode;
            if (mode) ink.fillRect(c, r, 1, 1); else ink.clearRect(c, r, 1, 1);
          }
    }
    function stroke(event) {
      var at = canvas.getBoundingClientRect();
      var here = [(event.clientX - at.left) / at.width * size - .5, (event.clientY - at.top) / at.height * size - .5];
      var from = last || here, steps = Math.ceil(Math.max(Math.abs(here[0] - from[0]), Math.abs(here[1] - from[1]), 1));
      for (var i = 0; i <= steps; i++) dot(from[0] + (here[0] - from[0]) * i / steps, from[1] + (here[1] - from[1]) * i / steps);
      last = here;
    }
    canvas.addEventListener('pointerdown', function (event) { down = true; last = null; canvas.setPointerCapture(event.pointerId); stroke(event); event.preventDefault() });
    canvas.addEventListener('pointermove', function (event) { if (down) stroke(event) });
    ['pointerup', 'pointercancel'].forEach(function (name) { canvas.addEventListener(name, function () { if (down) keep(); down = false }) });
    tools.addEventListener('click', function (event) {
      var what = event.target.dataset.do, pick = function (name, on) { tools.querySelector('[data-do=' + name + ']').setAttribute('aria-pressed', on) };
      if (what === 'paint' || what === 'rub') { mode = what === 'paint' ? 1 : 0; pick('paint', mode === 1); pick('rub', mode === 0) }
      if (what === 'small') { small = !small; pick('small', small) }
      if (what === 'clear') { cells.fill(0); ink.clearRect(0, 0, size, size); keep() }
      if (what === 'boxes') { boxes.hidden = !boxes.hidden; pick('boxes', !boxes.hidden) }
    });
  });

  // Keyboard.
  function here() { var at = document.activeElement && document.activeElement.closest('.moment'); return Math.max(0, moments.indexOf(at)) }
  function go(i, still) {
    var to = moments[Math.min(Math.max(i, 0), moments.length - 1)], radios = to.querySelectorAll('[type=radio]');
    (to.querySelector('[type=radio]:checked') || radios[0]).focus({preventScroll: true});
    if (!still) to.scrollIntoView({block: 'nearest'});
  }
  document.addEventListener('keydown', function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /TEXTAREA|BUTTON|SUMMARY|^A$/.test(event.target.tagName) || event.target.type === 'checkbox') return;
    var i = here(), radios = moments[i].querySelectorAll('[type=radio]'), key = event.key.length === 1 ? usual(event.key.toLowerCase()) : event.key, digit = Number(key);
    if (digit >= 1 && digit <= radios.length) { radios[digit - 1].click(); if (i + 1 < moments.length) go(i + 1); else document.getElementById('send').focus() }
    else if (key === 'ArrowDown') go(i + 1);
    else if (key === 'ArrowUp') go(i - 1);
    else if (key === 'h') { how.open = !how.open; if (how.open) how.scrollIntoView({block: 'nearest'}) }
    else return;
    event.preventDefault();
  });

  document.addEventListener('visibilitychange', function () {
    if (document.hidden) hid = Date.now(); else if (hid) { away += Date.now() - hid; hid = 0 }
  });
  form.addEventListener('submit', function (event) {
    if (field.value === NA) {
      event.preventDefault();
      note.hidden = false;
      note.textContent = T('This is a preview. Accept the HIT to send answers.');
      return;
    }
    form.elements.elapsed.value = Date.now() - began - away;
    try { localStorage.setItem(title, 1) } catch (refused) { /* it stays open */ }
  });
  // A frame that has not got the keyboard yet may not take it: it is taken when it comes.
  function hands() { go(0, true); onfocus = document.hasFocus() ? null : hands }
  if (field.value !== NA && moments.length) hands();
})();
