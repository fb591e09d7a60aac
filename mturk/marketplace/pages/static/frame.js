// Added to every requester's document: asks the work page for the keyboard, and keeps a draft while the worker types.
(function () {
  'use strict';
  var data = document.getElementById('market-frame').dataset;
  if (!data.assignment) { return; }
  function open() { window.parent.postMessage({ market: 'open', keys: document.hasFocus() }, data.portal); }
  if (window.parent !== window) {
    open();
    window.addEventListener('message', function (event) {
      if (event.source === window.parent && event.data && event.data.market === 'listening') { open(); }
    });
  }
  var timer = null, sent = false, last = '';

  function form() {
    var forms = Array.prototype.slice.call(document.forms);
    return forms.filter(function (f) { return /externalSubmit(\?|$)/.test(f.getAttribute('action') || ''); })[0] || forms[0];
  }

  function save() {
    var source = form();
    if (!source || sent) { return; }
    var body = new URLSearchParams();
    new FormData(source).forEach(function (value, name) {
      if (typeof value === 'string' && name !== 'assignmentId') { body.append(name, value); }
    });
    var text = body.toString();
    if (text === last) { return; }
    last = text;
    body.append('assignmentId', data.assignment);
    fetch(data.draft, { method: 'POST', mode: 'no-cors', credentials: 'omit', body: body, keepalive: text.length < 60000 })
      .catch(function () { last = ''; });
  }

  function soon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(save, 1200);
  }

  document.addEventListener('input', soon, true);
  document.addEventListener('change', soon, true);
  document.addEventListener('visibilitychange', function () { if (document.hidden) { save(); } });
  window.addEventListener('pagehide', save);
  document.addEventListener('submit', function (event) {
    if (!event.defaultPrevented && /externalSubmit(\?|$)/.test(event.target.getAttribute('action') || '')) { sent = true; }
  });
})();
