// Our own small stand-in for Crowd HTML Elements. The elements become plain form fields; the answer is one field,
// `taskAnswers`: a JSON list of one object, as AWS's guide describes. What is not here, or cannot be read, says so on
// the page and keeps it from being sent. The files of this folder are served as one script, `/assets/crowd.js`.
var groups = 0;
// A preview has us in its own text.
var own = document.currentScript && document.currentScript.src ? new URL(document.currentScript.src).origin : '';

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
  Object.keys(names).forEach(function (name) {
    if (source.hasAttribute(name)) { found[names[name] || name] = source.getAttribute(name) === '' ? true : source.getAttribute(name); }
  });
  return found;
}

function list(found) { return Array.from(found); }

function contents(source) { return list(source.childNodes); }

function part(source, tag) {
  var found = source.querySelector(tag);
  return found ? make('div', { class: 'crowd-part' }, contents(found)) : null;
}

// What the market says about this page: beside its document, or in the address of an ExternalQuestion.
function data() {
  var script = document.getElementById('market-frame');
  if (script) { return script.dataset; }
  var address = new URLSearchParams(window.location.search), id = address.get('assignmentId') || '';
  return {
    assignment: id === 'ASSIGNMENT_ID_NOT_AVAILABLE' ? '' : id,
    submit: (address.get('turkSubmitTo') || own).replace(/\/+$/, '') + '/mturk/externalSubmit'
  };
}

function draft() {
  try { return JSON.parse(data().values || '{}'); } catch (broken) { return {}; }
}

// JSON, or what AWS's templates write instead: single quotes, bare keys, a comma at the end. Undefined if unreadable.
function lenient(text) {
  try { return JSON.parse(text); } catch (strict) { /* the other way of writing it, below */ }
  var token = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_$][\w$]*(?=\s*:)|,(?=\s*[\]}])/g;
  var json = String(text).replace(token, function (found) {
    if (found === ',') { return ''; }
    if (found[0] === '"') { return found; }
    if (found[0] !== "'") { return JSON.stringify(found); }
    return JSON.stringify(found.slice(1, -1).replace(/\\(.)/g, '$1'));
  });
  try { return JSON.parse(json); } catch (broken) { return undefined; }
}

// Labels of an attribute: strings, or objects with a `label` (and a `text` or `fullDisplay` to show).
function labels(source, attribute) {
  var given = lenient(source.getAttribute(attribute) || '');
  if (!Array.isArray(given) || !given.length) { return null; }
  // AWS's elements write their lists back as JSON, and scripts take that text apart.
  if (source.getAttribute(attribute) !== JSON.stringify(given)) { source.setAttribute(attribute, JSON.stringify(given)); }
  var found = given.map(function (item) {
    if (typeof item === 'string' || typeof item === 'number') { return { label: String(item), text: String(item) }; }
    var label = item && (item.label || item.value || item.text);
    return label ? { label: String(label), text: String(item.fullDisplayName || item.longDisplayName || item.fullDisplay || item.text || label) } : null;
  });
  return found.every(Boolean) ? found : null;
}

function help(source) {
  var full = part(source, 'full-instructions');
  if (full) { full.classList.add('awsui-modal-dialog'); }
  var parts = [part(source, 'short-instructions'), full].filter(Boolean);
  return parts.length ? make('details', { open: true, class: 'awsui-app-layout__navigation' }, [make('summary', {}, ['Instructions'])].concat(parts)) : null;
}

// What else a page put into an element, such as questions of its own: it stays on the page.
function leftovers(source) {
  return make('div', {}, list(source.children).filter(function (child) {
    return !/^(short-instructions|full-instructions|classification-target)$/.test(child.localName);
  }));
}

// The page cannot be answered: it says so and is not sent.
function refuse(source, words) {
  source.dataset.crowdRefused = words;
  var old = source.querySelector('.crowd-missing');
  if (old) { old.remove(); }
  source.prepend(make('p', { class: 'crowd-missing', role: 'alert' },
    [words + ' This page cannot be answered, and nothing is sent. Return the task; you lose nothing.']));
}

function unsupported(source) {
  refuse(source, 'This task uses <' + source.localName + '>, which this marketplace does not support.');
}

// An element whose answer is more than a field: `read` gives it, `problem` says what is still to do, `write` takes a draft.
function answering(source, name, read, problem, write) {
  var field = make('input', { type: 'hidden', name: name });
  field.dataset.crowdJson = '1';
  source.crowdProblem = problem;
  source.crowdWrite = function (text) { try { write(JSON.parse(text)); keep(); } catch (broken) { /* an old draft */ } };
  function keep() { field.value = JSON.stringify(read()); field.dispatchEvent(new Event('input', { bubbles: true })); }
  Object.defineProperty(source, 'value', { configurable: true, get: read });
  keep();
  return { field: field, keep: keep };
}
