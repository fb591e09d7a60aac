// The form: collects the answers, keeps what cannot be answered from being sent, and takes in what scripts add later.
var KNOWN = {
  'crowd-instructions': instructions,
  'crowd-input': function (source) { textField('input', source); },
  'crowd-text-area': function (source) { textField('textarea', source); },
  'crowd-slider': slider,
  'crowd-slider-label': function () {},
  'crowd-checkbox': function (source) { tick('checkbox', source, source.getAttribute('name')); },
  'crowd-toggle-button': function (source) { tick('checkbox', source, source.getAttribute('name')).setAttribute('role', 'switch'); },
  'crowd-radio-group': radioGroup,
  'crowd-radio-button': function (source) { tick('radio', source, source.getAttribute('name')); },
  'crowd-rating': rating,
  'crowd-classifier': function (source) { classifier(source, false); },
  'crowd-image-classifier': function (source) { classifier(source, false); },
  'crowd-classifier-multi-select': function (source) { classifier(source, true); },
  'crowd-image-classifier-multi-select': function (source) { classifier(source, true); },
  'crowd-bounding-box': drawing,
  'crowd-keypoint': drawing,
  'crowd-line': drawing,
  'crowd-polygon': drawing,
  'crowd-polyline': drawing,
  'crowd-entity-annotation': entities,
  'crowd-tabs': tabs,
  'crowd-tab': function () {},
  'crowd-modal': modal,
  'crowd-button': button,
  'crowd-fab': button,
  'crowd-icon-button': button,
  'crowd-badge': badge,
  'crowd-card': card,
  'crowd-alert': alertBox,
  'crowd-toast': toast
};

// A page may have a field named "submit", "action" or "elements", which hides the form's own: hence the prototype's.
var sending = new WeakSet();
var elementsOf = Object.getOwnPropertyDescriptor(HTMLFormElement.prototype, 'elements').get;
var plainSubmit = HTMLFormElement.prototype.submit;
HTMLFormElement.prototype.submit = function () {
  if (ours(this)) { HTMLFormElement.prototype.requestSubmit.call(this); } else { plainSubmit.call(this); }
};

function form(source) {
  if (source.querySelector(':scope > form.crowd-own')) { return; }
  // A form inside would be sent by itself, without the answers around it.
  source.querySelectorAll('form').forEach(function (nested) { nested.replaceWith.apply(nested, contents(nested)); });
  var inner = make('form', { class: 'crowd-own', method: 'post', action: data().submit || '' }, contents(source));
  source.append(inner);
  inner.append(make('input', { type: 'hidden', name: 'assignmentId', value: data().assignment || 'ASSIGNMENT_ID_NOT_AVAILABLE' }));
  if (!inner.querySelector('crowd-button[form-action=submit], button[type=submit], button:not([type]), input[type=submit]')) {
    inner.append(make('button', { type: 'submit', class: 'crowd-send' }, ['Submit']));
  }
  source.form = inner;
  source.submit = function () { HTMLFormElement.prototype.requestSubmit.call(inner); };
  if (!data().assignment) { inner.append(make('p', {}, ['This is a preview. Accept the task to answer it.'])); }
  inner.addEventListener('formdata', function (event) {
    if (!sending.delete(inner)) { return; }
    list(new Set(event.formData.keys())).forEach(function (name) { if (name !== 'assignmentId') { event.formData.delete(name); } });
    event.formData.append('taskAnswers', answers(inner));
  });
}

function answers(inner) {
  var found = {};
  list(elementsOf.call(inner)).forEach(function (field) {
    var name = field.dataset.crowdName || field.name, kind = field.dataset;
    if (!name || field.disabled || kind.crowdSkip || name === 'assignmentId' || /submit|button|reset|fieldset|file/.test(field.type)) { return; }
    if (kind.crowdJson) { found[name] = JSON.parse(field.value); }
    else if (kind.crowdLabel || kind.crowdPlain) { if (field.checked) { found[name] = kind.crowdLabel ? { label: field.value } : field.value; } }
    else if (kind.crowdLabels) {
      found[name] = found[name] || { labels: [] };
      if (field.checked) { found[name].labels.push(field.value); }
    } else if (field.type === 'radio' || field.type === 'checkbox') {
      found[name] = Object.assign(Object(found[name]), { [field.value]: field.checked });
    } else if (field.type === 'select-multiple') {
      found[name] = list(field.selectedOptions).map(function (option) { return option.value; });
    } else { found[name] = name in found ? [].concat(found[name], field.value) : field.value; }
  });
  return JSON.stringify([found]);
}

function restore(scope) {
  var kept = draft();
  list(scope.querySelectorAll('input, textarea, select')).forEach(function (field) {
    var values = kept[field.name];
    if (!values || field.dataset.crowdRestored) { return; }
    field.dataset.crowdRestored = '1';
    if (field.dataset.crowdJson) { field.closest('[data-crowd-done]').crowdWrite(values[0]); }
    else if (field.type === 'radio' || field.type === 'checkbox') { field.checked = values.indexOf(field.value) >= 0; }
    else if (field.localName === 'select') { list(field.options).forEach(function (option) { option.selected = values.indexOf(option.value) >= 0; }); }
    else if (!/hidden|submit|button|reset|file|password/.test(field.type)) {
      field.value = values[0];
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
}

// Annotation elements and classifiers bring their own form where a page has none around them.
function housed() {
  Object.keys(KNOWN).forEach(function (tag) {
    if ([classifier, drawing, entities].indexOf(KNOWN[tag]) < 0 && !/classifier/.test(tag)) { return; }
    document.querySelectorAll(tag).forEach(function (source) {
      if (source.closest('crowd-form, form')) { return; }
      var outer = make('crowd-form');
      source.before(outer);
      outer.append(source);
    });
  });
}

function refresh() {
  housed();
  document.querySelectorAll('crowd-form').forEach(function (outer) {
    form(outer);
    var inner = outer.querySelector('form.crowd-own'), send = inner && inner.querySelector('.crowd-send');
    if (!inner) { return; }
    contents(outer).forEach(function (node) { if (node !== inner) { inner.insertBefore(node, send); } });
  });
  Object.keys(KNOWN).forEach(function (tag) {
    document.querySelectorAll(tag).forEach(function (source) {
      if (!source.dataset.crowdDone) { source.dataset.crowdDone = '1'; KNOWN[tag](source); }
    });
  });
  document.querySelectorAll('*').forEach(function (source) {
    if (/^crowd-/.test(source.localName) && source.localName !== 'crowd-form' && !source.dataset.crowdDone) {
      source.dataset.crowdDone = '1';
      unsupported(source);
    }
  });
  document.querySelectorAll('crowd-form > form').forEach(function (inner) {
    var stuck = Boolean(inner.querySelector('[data-crowd-refused]'));
    inner.querySelectorAll('button[type=submit], button:not([type]), input[type=submit]').forEach(function (press) {
      if (stuck || press.dataset.crowdStuck) { press.disabled = stuck; press.dataset.crowdStuck = stuck ? '1' : ''; }
    });
    restore(inner);
  });
}

// What still has to be done, shown where it has to be done; true where there is something.
function lacking(inner) {
  inner.querySelectorAll('.crowd-todo').forEach(function (old) { old.remove(); });
  if (inner.querySelector('[data-crowd-refused]')) { return true; }
  if (answers(inner) === '[{}]') {
    inner.append(make('p', { class: 'crowd-todo', role: 'alert' }, ['Nothing is filled in: nothing is sent.']));
    return true;
  }
  var open = list(inner.querySelectorAll('[data-crowd-done]')).filter(function (source) { return source.crowdProblem && source.crowdProblem(); });
  open.forEach(function (source) { source.append(make('p', { class: 'crowd-todo', role: 'alert' }, [source.crowdProblem()])); });
  if (open.length) { open[0].scrollIntoView({ block: 'center' }); }
  return open.length > 0;
}

// Scripts wait for the elements to be defined, and look into their shadows: here these show what an element holds, and
// find what is in it, or the form around it (AWS's annotations have theirs inside).
function defined() {
  Object.keys(KNOWN).concat('crowd-form').forEach(function (tag) {
    if (customElements.get(tag)) { return; }
    customElements.define(tag, class extends HTMLElement {
      constructor() {
        super();
        var host = this, shadow = this.attachShadow({ mode: 'open' });
        shadow.append(make('slot'));
        shadow.querySelector = function (wanted) {
          var around = host.closest('crowd-form');
          return host.querySelector(wanted) || (around && around !== host && around.matches(wanted) ? around : null);
        };
      }
    });
  });
}

function ours(inner) { return inner.classList.contains('crowd-own'); }

function start() {
  defined();
  refresh();
  document.dispatchEvent(new CustomEvent('all-crowd-elements-ready'));
  // Before the page's own handlers: nothing of theirs runs for a page that cannot be sent.
  window.addEventListener('submit', function (event) {
    if (ours(event.target) && lacking(event.target)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
  window.addEventListener('submit', function (event) {
    if (!event.defaultPrevented && ours(event.target)) { sending.add(event.target); }
  });
  // What we draw ourselves, many times a second, brings nothing new.
  new MutationObserver(function (changes) {
    if (changes.some(function (change) { return !change.target.closest('.crowd-stage, .crowd-items, .crowd-text'); })) { refresh(); }
  }).observe(document.body, { childList: true, subtree: true });
}

document.head.append(make('style', {}, [
  Object.keys(KNOWN).join(',') + ',crowd-form{display:block}crowd-button,crowd-fab,crowd-icon-button,crowd-badge,crowd-slider-label{display:inline-block}' +
  'crowd-form [hidden],crowd-toast[hidden],crowd-alert[hidden]{display:none}crowd-form{font:16px/1.5 system-ui,sans-serif;padding:12px 16px}' +
  '.crowd-field,.crowd-tick,crowd-form details{display:block;margin:0 0 12px}.crowd-field>span{display:block;font-weight:600}fieldset.crowd-field{min-width:0}' +
  '.crowd-field>input:not([type=radio]):not([type=checkbox]),.crowd-field>textarea{font:inherit;box-sizing:border-box;width:100%;max-width:640px;padding:8px;border:1px solid #868e96;border-radius:6px}' +
  '.crowd-tick{padding:6px 0;margin:0}.crowd-tick input{width:20px;height:20px;vertical-align:-4px;margin-right:8px}.crowd-tick span{display:inline}' +
  'crowd-form button{font:inherit;min-height:44px;padding:8px 18px;border-radius:8px;border:1px solid #0a58ca;background:#0a58ca;color:#fff}' +
  'crowd-form button[disabled]{background:#5c6670;border-color:#5c6670}.crowd-picture{display:block;max-width:100%}' +
  '.crowd-missing,.crowd-todo{border-left:5px solid #a01820;background:#fdeeee;color:#5c0a10;padding:10px 14px}' +
  'crowd-card,crowd-alert,crowd-toast{border:1px solid #d0d5db;border-radius:8px;padding:12px;margin-bottom:12px}' +
  '.crowd-star{display:inline-block;margin:0 8px 8px 0;padding:10px 14px;border:2px solid #d0d5db;border-radius:8px}' +
  '.crowd-tabs button[aria-selected=false]{background:#fff;color:#0a58ca}.crowd-badge{background:#0a58ca;color:#fff;border-radius:10px;padding:2px 8px}' +
  '.crowd-stage{position:relative;display:inline-block;max-width:100%}.crowd-canvas,.upper-canvas{position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair}' +
  '.crowd-text{white-space:pre-wrap;border:1px solid #868e96;border-radius:6px;padding:12px;margin:0 0 12px}.crowd-labels,.crowd-acts{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 8px}']));
if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
