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
})();
