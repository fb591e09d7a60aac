// Our own small stand-in for Crowd HTML Elements. The elements become plain form fields; the answers are posted under the
// elements' names and, as a JSON list of one object, under `taskAnswers`. What is not here says so on the page.
(function () {
  'use strict';
  var groups = 0;

  function make(tag, attributes, children) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      var value = attributes[name];
      if (value === true) { element.setAttribute(name, ''); }
      else if (value !== null && value !== undefined && value !== false) { element.setAttribute(name, value); }
    });
    (children || []).forEach(function (child) { if (child) { element.append(child); } });
    return element;
  }

  function copy(source, names) {
    var found = {};
    names.forEach(function (name) {
      if (source.hasAttribute(name)) { found[name] = source.getAttribute(name) === '' ? true : source.getAttribute(name); }
    });
    return found;
  }

  function contents(source) { return Array.prototype.slice.call(source.childNodes); }

  function part(source, tag) {
    var found = source.querySelector(tag);
    return found ? make('div', { class: 'crowd-part' }, contents(found)) : null;
  }

  function data() {
    var script = document.getElementById('market-frame');
    return script ? script.dataset : {};
  }

  function draft() {
    try { return JSON.parse(data().values || '{}'); } catch (broken) { return {}; }
  }

  var FIELD = ['name', 'placeholder', 'required', 'disabled', 'autofocus', 'min', 'max', 'step', 'minlength', 'maxlength',
    'pattern', 'title', 'rows'];

  function textField(tag, source) {
    var label = source.getAttribute('label') || source.getAttribute('placeholder') || source.getAttribute('name') || 'Answer';
    var field = make(tag, copy(source, FIELD));
    if (tag === 'input') { field.type = source.getAttribute('type') || 'text'; }
    field.value = source.getAttribute('value') || '';
    if (tag === 'textarea' && !source.hasAttribute('value')) { field.value = source.textContent.trim(); }
    source.replaceChildren(make('label', { class: 'crowd-field' }, [make('span', {}, [label]), field]));
    forward(source, field);
  }

  // Scripts of a template read and set `.value`, `.checked` and `.disabled` of the crowd element itself.
  function forward(source, field) {
    ['value', 'checked', 'disabled', 'required'].forEach(function (name) {
      Object.defineProperty(source, name, {
        configurable: true,
        get: function () { return field[name]; },
        set: function (value) { field[name] = value; }
      });
    });
  }

  function tick(type, source, name) {
    var field = make('input', Object.assign(copy(source, ['required', 'disabled', 'checked']),
      { type: type, name: name, value: source.getAttribute('value') || 'on' }));
    field.dataset.crowdName = source.getAttribute('name') || name || '';
    source.replaceChildren(make('label', { class: 'crowd-tick' }, [field, make('span', {}, contents(source))]));
    forward(source, field);
    return field;
  }

  function radioGroup(source) {
    var buttons = Array.prototype.slice.call(source.querySelectorAll('crowd-radio-button'));
    var names = buttons.map(function (button) { return button.getAttribute('name') || ''; });
    var shared = names.every(function (name) { return name === names[0]; });
    groups += 1;
    var fields = buttons.map(function (button, index) {
      button.dataset.crowdDone = '1';
      return tick('radio', button, (shared && names[0]) || names[index] || 'group-' + groups);
    });
    if (!shared) {
      fields.forEach(function (field) {
        field.addEventListener('change', function () {
          fields.forEach(function (other) { if (other !== field) { other.checked = false; } });
        });
      });
    }
    source.setAttribute('role', 'radiogroup');
  }

  function classifier(source, target) {
    var name = source.getAttribute('name') || source.localName;
    var categories = [];
    try { categories = JSON.parse(source.getAttribute('categories') || '[]'); } catch (broken) { categories = []; }
    var choices = categories.map(function (category) {
      var label = typeof category === 'string' ? category : String(category.label);
      var field = make('input', { type: 'radio', name: name, value: label, required: true });
      field.dataset.crowdLabel = '1';
      return make('label', { class: 'crowd-tick' }, [field, make('span', {}, [label])]);
    });
    var help = [part(source, 'short-instructions'), part(source, 'full-instructions')].filter(Boolean);
    var details = help.length ? make('details', { open: true }, [make('summary', {}, ['Instructions'])].concat(help)) : null;
    source.replaceChildren(make('fieldset', { class: 'crowd-field' },
      [make('legend', {}, [source.getAttribute('header') || 'Choose one']), details, target].concat(choices)));
  }

  function instructions(source) {
    var names = { 'short-summary': '', 'detailed-instructions': '', 'positive-example': 'Good example', 'negative-example': 'Bad example' };
    var parts = Object.keys(names).map(function (tag) {
      var found = part(source, tag);
      if (found && names[tag]) { found.prepend(make('strong', {}, [names[tag]])); }
      return found;
    });
    source.replaceChildren(make('details', { open: true },
      [make('summary', {}, [source.getAttribute('link-text') || 'Instructions'])].concat(parts)));
  }

  function form(source) {
    if (source.querySelector('form')) { return; }
    var inner = make('form', { method: 'post', action: data().submit || '' }, contents(source));
    source.append(inner);
    inner.append(make('input', { type: 'hidden', name: 'assignmentId', value: data().assignment || 'ASSIGNMENT_ID_NOT_AVAILABLE' }));
    if (!inner.querySelector('crowd-button[form-action=submit], button[type=submit], button:not([type]), input[type=submit]')) {
      inner.append(make('button', { type: 'submit' }, ['Submit']));
    }
    source.submit = function () { inner.requestSubmit(); };
    if (!data().assignment) { inner.append(make('p', {}, ['This is a preview. Accept the task to answer it.'])); }
  }

  function button(source) {
    var submits = source.getAttribute('form-action') === 'submit';
    var inner = make('button', { type: submits ? 'submit' : source.getAttribute('form-action') === 'reset' ? 'reset' : 'button',
      disabled: source.hasAttribute('disabled') }, contents(source));
    source.replaceChildren(inner);
    forward(source, inner);
  }

  function unsupported(source) {
    source.prepend(make('p', { class: 'crowd-missing', role: 'alert' },
      ['This task uses <' + source.localName + '>, which this marketplace does not support. Return the task; you lose nothing.']));
  }

  var KNOWN = {
    'crowd-instructions': instructions,
    'crowd-input': function (source) { textField('input', source); },
    'crowd-text-area': function (source) { textField('textarea', source); },
    'crowd-slider': function (source) { source.setAttribute('type', 'range'); textField('input', source); },
    'crowd-checkbox': function (source) { tick('checkbox', source, source.getAttribute('name')); },
    'crowd-radio-group': radioGroup,
    'crowd-radio-button': function (source) { tick('radio', source, source.getAttribute('name')); },
    'crowd-classifier': function (source) { classifier(source, part(source, 'classification-target')); },
    'crowd-image-classifier': function (source) {
      classifier(source, make('img', { src: source.getAttribute('src'), alt: 'The picture to classify', class: 'crowd-picture' }));
    },
    'crowd-button': button,
    'crowd-card': function () {},
    'crowd-alert': function () {}
  };

  function answers(inner) {
    var found = {};
    Array.prototype.forEach.call(inner.elements, function (field) {
      var name = field.dataset.crowdName || field.name;
      if (!name || field.disabled || name === 'assignmentId' || name === 'taskAnswers' || /submit|button|reset|fieldset/.test(field.type)) { return; }
      if (field.dataset.crowdLabel) {
        if (field.checked) { found[name] = { label: field.value }; }
      } else if (field.type === 'radio' || field.type === 'checkbox') {
        found[name] = Object.assign(found[name] || {}, { [field.value]: field.checked });
      } else {
        found[name] = field.value;
      }
    });
    return JSON.stringify([found]);
  }

  function restore(inner) {
    var kept = draft();
    if (!Object.keys(kept).length) { return; }
    Array.prototype.forEach.call(inner.elements, function (field) {
      var values = kept[field.name];
      if (field.type === 'radio' || field.type === 'checkbox') { field.checked = (values || []).indexOf(field.value) >= 0; }
      else if (values && /^(text|textarea|number|range|url|email|tel|search|date|time)$/.test(field.type)) { field.value = values[0]; }
    });
  }

  function start() {
    document.querySelectorAll('crowd-form').forEach(form);
    Object.keys(KNOWN).forEach(function (tag) {
      document.querySelectorAll(tag).forEach(function (source) {
        if (!source.dataset.crowdDone) { source.dataset.crowdDone = '1'; KNOWN[tag](source); }
      });
    });
    document.querySelectorAll('*').forEach(function (source) {
      if (/^crowd-/.test(source.localName) && source.localName !== 'crowd-form' && !source.dataset.crowdDone) { unsupported(source); }
    });
    document.querySelectorAll('crowd-form > form').forEach(restore);
    document.addEventListener('submit', function (event) {
      var inner = event.target;
      if (event.defaultPrevented || !inner.parentElement || inner.parentElement.localName !== 'crowd-form') { return; }
      var field = inner.querySelector('input[name=taskAnswers]') || make('input', { type: 'hidden', name: 'taskAnswers' });
      field.value = answers(inner);
      inner.append(field);
    });
  }

  document.head.append(make('style', {}, [
    'crowd-form,crowd-input,crowd-text-area,crowd-slider,crowd-checkbox,crowd-radio-button,crowd-radio-group,crowd-instructions,crowd-classifier,' +
    'crowd-image-classifier,crowd-card,crowd-alert{display:block}crowd-form{font:16px/1.5 system-ui,sans-serif;padding:12px 16px}' +
    '.crowd-field,.crowd-tick,crowd-form details{display:block;margin:0 0 12px}.crowd-field>span{display:block;font-weight:600}' +
    '.crowd-field input:not([type=radio]),.crowd-field textarea{font:inherit;width:100%;max-width:640px;padding:8px;border:1px solid #868e96;border-radius:6px}' +
    '.crowd-tick{padding:6px 0;margin:0}.crowd-tick input{width:20px;height:20px;vertical-align:-4px;margin-right:8px}.crowd-tick span{display:inline}' +
    'crowd-form button{font:inherit;min-height:44px;padding:8px 18px;border-radius:8px;border:1px solid #0a58ca;background:#0a58ca;color:#fff}' +
    'crowd-form button[disabled]{background:#5c6670;border-color:#5c6670}.crowd-picture{display:block;max-width:100%}' +
    '.crowd-missing{border-left:5px solid #a01820;background:#fdeeee;padding:10px 14px}crowd-card,crowd-alert{border:1px solid #d0d5db;border-radius:8px;padding:12px;margin-bottom:12px}']));
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
})();
