// Runs before a requester's own scripts. Their document has no origin of its own here, so that storage and cookies are
// refused by the browser; templates that only keep a note for themselves get one that lives as long as the page.
(function () {
  'use strict';
  function memory() {
    var kept = new Map();
    return {
      get length() { return kept.size; },
      key: function (index) { return Array.from(kept.keys())[index] === undefined ? null : Array.from(kept.keys())[index]; },
      getItem: function (name) { return kept.has(String(name)) ? kept.get(String(name)) : null; },
      setItem: function (name, value) { kept.set(String(name), String(value)); },
      removeItem: function (name) { kept.delete(String(name)); },
      clear: function () { kept.clear(); }
    };
  }
  ['localStorage', 'sessionStorage'].forEach(function (name) {
    try { if (window[name]) { return; } } catch (refused) { /* as expected in the sandbox */ }
    Object.defineProperty(window, name, { configurable: true, value: memory() });
  });
  try { void document.cookie; } catch (refused) {
    var jar = {};
    Object.defineProperty(document, 'cookie', {
      configurable: true,
      get: function () { return Object.keys(jar).map(function (name) { return name + '=' + jar[name]; }).join('; '); },
      set: function (text) {
        var first = String(text).split(';')[0], at = first.indexOf('=');
        if (at > 0) { jar[first.slice(0, at).trim()] = first.slice(at + 1).trim(); }
      }
    });
  }

  // Forms whose address or assignment a script puts together: Mechanical Turk's hosts are ours here, and answers without
  // an assignment would belong to nobody.
  function told() { return (document.getElementById('market-frame') || { dataset: {} }).dataset; }
  function own(form) {
    var data = told();
    // A field named "action" hides the form's own property: hence the attribute.
    var address = new URL(form.getAttribute('action') || '', document.baseURI);
    if (!data.submit || !/\/mturk\/externalSubmit$/.test(address.pathname)) { return false; }
    if (/\.mturk\.com$/i.test(address.hostname)) { address = new URL(data.submit + address.search); }
    if (address.origin + address.pathname !== data.submit) { return false; }
    form.setAttribute('action', address.href);
    form.setAttribute('method', 'post');
    if (!form.querySelector('[name=assignmentId]') && !address.searchParams.get('assignmentId')) {
      var field = document.createElement('input');
      field.type = 'hidden';
      field.name = 'assignmentId';
      field.value = data.assignment || 'ASSIGNMENT_ID_NOT_AVAILABLE';
      form.append(field);
    }
    return true;
  }

  // Without a connection the browser's own error page would take the place of what was filled in.
  var note = document.createElement('p');
  note.setAttribute('role', 'alert');
  note.style.cssText = 'position:sticky;bottom:0;z-index:2147483647;margin:0;padding:12px 16px;background:#7a1018;color:#fff;font:16px/1.5 system-ui,sans-serif';
  window.addEventListener('online', function () { note.remove(); });
  function held(form) {
    if (navigator.onLine !== false || !own(form)) { return false; }
    note.textContent = told().offline;
    document.body.append(note);
    return true;
  }
  var submit = HTMLFormElement.prototype.submit;
  HTMLFormElement.prototype.submit = function () { if (!held(this)) { own(this); submit.call(this); } };
  window.addEventListener('submit', function (event) {
    if (held(event.target)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
  window.addEventListener('submit', function (event) { own(event.target); });
})();
