// Elements that are one field: text, numbers, ticks, sliders, toggles, buttons.
var FIELD = { name: '', placeholder: '', required: '', disabled: '', autofocus: '', 'auto-focus': 'autofocus', min: '', max: '',
  step: '', minlength: '', 'min-length': 'minlength', maxlength: '', 'max-length': 'maxlength', pattern: '', title: '', rows: '' };

function textField(tag, source) {
  var label = source.getAttribute('label') || source.getAttribute('placeholder') || source.getAttribute('name') || 'Answer';
  var given = source.getAttribute('value') || source.getAttribute('initial-value');
  var field = make(tag, copy(source, FIELD));
  if (tag === 'input') { field.type = source.getAttribute('type') || 'text'; }
  field.value = given || (tag === 'textarea' ? source.textContent.trim() : '');
  source.replaceChildren(make('label', { class: 'crowd-field' }, [make('span', {}, [label]), field]));
  if (source.hasAttribute('allowed-pattern')) { allowOnly(source, field); }
  forward(source, field);
  return field;
}

// The pattern is about each character, as on MTurk: others cannot be typed, and pasted ones are said.
function allowOnly(source, field) {
  var allowed;
  try { allowed = new RegExp('^(?:' + source.getAttribute('allowed-pattern') + ')$'); } catch (broken) {
    refuse(source, 'The allowed-pattern of this field cannot be read.');
    return;
  }
  function fits(text) { return Array.from(text || '').every(function (letter) { return allowed.test(letter); }); }
  function check() {
    field.setCustomValidity(fits(field.value) ? '' : source.getAttribute('error-message') || 'Some of these characters are not allowed here.');
  }
  field.addEventListener('beforeinput', function (event) {
    if (event.inputType === 'insertText' && !fits(event.data)) { event.preventDefault(); }
  });
  field.addEventListener('input', check);
  check();
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

function slider(source) {
  source.setAttribute('type', 'range');
  var field = textField('input', source), shown = make('output', {}, [field.value]);
  field.after(shown);
  field.addEventListener('input', function () { shown.textContent = field.value; field.dataset.crowdMoved = '1'; });
  if (source.hasAttribute('required')) {
    source.crowdProblem = function () { return field.dataset.crowdMoved ? '' : 'Move the slider to your answer.'; };
    source.crowdMoved = function () { field.dataset.crowdMoved = '1'; };
    ['change', 'pointerdown', 'keydown'].forEach(function (event) { field.addEventListener(event, source.crowdMoved); });
  }
}

function tick(type, source, name) {
  var field = make('input', Object.assign(copy(source, { required: '', disabled: '', checked: '' }),
    { type: type, name: name, value: source.getAttribute('value') || 'on' }));
  field.dataset.crowdName = source.getAttribute('name') || name || '';
  var shown = source.textContent.trim() || source.children.length ? contents(source) : [source.getAttribute('label') || name || ''];
  source.replaceChildren(make('label', { class: 'crowd-tick' }, [field, make('span', {}, shown)]));
  forward(source, field);
  return field;
}

function radioGroup(source) {
  var buttons = list(source.querySelectorAll('crowd-radio-button'));
  var names = buttons.map(function (button) { return button.getAttribute('name') || ''; });
  var shared = names.every(function (name) { return name === names[0]; });
  var required = [source].concat(buttons).some(function (item) { return item.hasAttribute('required'); });
  groups += 1;
  var fields = buttons.map(function (button, index) {
    button.dataset.crowdDone = '1';
    var field = tick('radio', button, (shared && names[0]) || names[index] || 'group-' + groups);
    field.required = required && shared;
    return field;
  });
  if (!shared) {
    fields.forEach(function (field) {
      field.addEventListener('change', function () {
        fields.forEach(function (other) { if (other !== field) { other.checked = false; } });
      });
    });
  }
  if (required && !shared) {
    source.crowdProblem = function () { return fields.some(function (field) { return field.checked; }) ? '' : 'Choose one.'; };
  }
  source.setAttribute('role', 'radiogroup');
}

function rating(source) {
  var name = source.getAttribute('name') || 'rating', most = Math.min(20, Number(source.getAttribute('max')) || 5);
  var choices = [];
  for (var stars = 1; stars <= most; stars += 1) {
    var field = make('input', { type: 'radio', name: name, value: stars, required: source.hasAttribute('required') });
    field.checked = source.getAttribute('value') === String(stars);
    field.dataset.crowdPlain = '1';
    choices.push(make('label', { class: 'crowd-star' }, [field, make('span', {}, [String(stars)])]));
  }
  source.replaceChildren(make('fieldset', { class: 'crowd-field' }, [make('legend', {}, [source.getAttribute('label') || name])].concat(choices)));
}

function button(source) {
  var action = source.getAttribute('form-action') || 'none', link = source.getAttribute('href');
  var shown = source.textContent.trim() || source.children.length ? contents(source)
    : [source.getAttribute('label') || source.getAttribute('title') || source.getAttribute('icon') || 'Button'];
  var inner = link ? make('a', { href: link, target: source.getAttribute('target') || '_blank', class: 'crowd-link' }, shown)
    : make('button', { type: action === 'submit' || action === 'reset' ? action : 'button', disabled: source.hasAttribute('disabled') }, shown);
  source.replaceChildren(inner);
  source.click = function () { inner.click(); };
  forward(source, inner);
}
