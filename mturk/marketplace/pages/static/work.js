// The work page: go on when the frame says that the answers arrived, and show the time left.
(function () {
  'use strict';
  var frame = document.getElementById('task');
  var next = document.getElementById('next');
  var auto = document.getElementById('auto');
  var after = document.getElementById('after');
  var left = document.getElementById('left');

  function stored(value) {
    try {
      if (value === undefined) { return sessionStorage.getItem('auto') === '1'; }
      sessionStorage.setItem('auto', value ? '1' : '0');
    } catch (blocked) { return false; }
    return value;
  }

  next.hidden = false;
  after.hidden = true;
  auto.checked = stored();
  auto.addEventListener('change', function () { stored(auto.checked); });

  // Keys go to the task at once, not after a walk through this page's links: once its document is there. A browser drops
  // the focus that comes while a frame's document is being exchanged, and goes on calling the frame active.
  var opened = false;
  function enter() { if (document.activeElement === document.body) { frame.focus(); } }
  window.addEventListener('load', function () { if (!opened) { enter(); } });  // another site's page says nothing

  window.addEventListener('message', function (event) {
    if (event.source !== frame.contentWindow || !event.data) { return; }
    if (event.data.market === 'open') { opened = true; if (!event.data.keys) { enter(); } }
    if (event.data.market !== 'submitted') { return; }
    if (auto.checked) { next.submit(); } else { window.location.assign(after.href + (event.data.repeated ? '?said=again' : '')); }
  });

  frame.contentWindow.postMessage({ market: 'listening' }, '*');  // where the task was there first

  var offset = Date.parse(left.dataset.now) - Date.now();
  var deadline = Date.parse(left.dataset.deadline);
  function tick() {
    var seconds = Math.max(0, Math.round((deadline - Date.now() - offset) / 1000));
    var hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60, rest = seconds % 60;
    if (hours > 47) { return; }
    left.textContent = seconds === 0 ? left.dataset.over
      : left.dataset.in + ' ' + (hours ? hours + ' h ' : '') + minutes + ' min' + (hours ? '' : ' ' + (rest < 10 ? '0' : '') + rest + ' s');
  }
  tick();
  window.setInterval(tick, 1000);
})();
