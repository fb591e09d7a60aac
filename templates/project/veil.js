(function () {
  'use strict';
  var pairs = JSON.parse(document.getElementById('galloway-clear').textContent), all = document.getElementById('galloway-show');
  // Wherever an attribute names a blurred picture: a requester's own page may have it in any element.
  function veiled(it) {
    return [].slice.call(it.attributes).filter(function (a) { return Object.keys(pairs).some(function (v) { return a.value.indexOf(v) >= 0 }) });
  }
  function unveil(it) {
    veiled(it).forEach(function (a) {
      Object.keys(pairs).forEach(function (v) { it.setAttribute(a.name, it.getAttribute(a.name).split(v).join(pairs[v])) });
    });
  }
  function each(what) { [].slice.call(document.querySelectorAll('body *')).forEach(function (it) { if (veiled(it).length) what(it) }) }
  all.addEventListener('click', function () { each(unveil); all.remove() });
  document.addEventListener('click', function (event) {
    if (event.target.attributes && veiled(event.target).length) { event.preventDefault(); unveil(event.target) }
  }, true);
})();
