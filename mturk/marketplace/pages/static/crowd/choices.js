// Classifiers: one label, or several, of a text or a picture.
function picture(source) {
  return make('img', { src: source.getAttribute('src'), alt: 'The picture to classify', class: 'crowd-picture' });
}

function classifier(source, several) {
  var first = !source.crowdParts;
  if (first) {
    source.crowdParts = { target: part(source, 'classification-target'), help: help(source), rest: leftovers(source) };
    redraw(source, function () { classifier(source, several); });
  }
  var target = /image/.test(source.localName) ? picture(source) : source.crowdParts.target;
  var name = source.getAttribute('name') || source.localName, found = labels(source, 'categories');
  delete source.dataset.crowdRefused;
  if (!found) {
    source.replaceChildren(source.crowdParts.help || '', target || '', source.crowdParts.rest);
    refuse(source, 'The categories of <' + source.localName + '> cannot be read.');
    return;
  }
  var without = several ? lenient(source.getAttribute('exclusion-category') || 'null') : null;
  var choices = found.map(function (item) { return choice(name, item, several); });
  if (without) { choices.push(choice(name, { label: String(without.text || without.label || without) }, several)); }
  for (var i = 0; i < choices.length; i += 1) { choices[i].firstChild.dataset.crowdAlone = without && i === choices.length - 1 ? '1' : ''; }
  source.replaceChildren(make('fieldset', { class: 'crowd-field' },
    [make('legend', {}, [source.getAttribute('header') || (several ? 'Choose all that apply' : 'Choose one')]),
      source.crowdParts.help, target].concat(choices, source.crowdParts.rest)));
  if (several) { exclusive(source); }
}

function choice(name, item, several) {
  var field = make('input', { type: several ? 'checkbox' : 'radio', name: name, value: item.label, required: !several });
  field.dataset[several ? 'crowdLabels' : 'crowdLabel'] = '1';
  return make('label', { class: 'crowd-tick' }, [field, make('span', {}, [item.text || item.label])]);
}

// Nothing ticked says nothing, so that one is needed; "none of them" goes with no other.
function exclusive(source) {
  var fields = list(source.querySelectorAll('input[type=checkbox]'));
  fields.forEach(function (field) {
    field.addEventListener('change', function () {
      if (!field.checked) { return; }
      fields.forEach(function (other) {
        if (other !== field && Boolean(other.dataset.crowdAlone) !== Boolean(field.dataset.crowdAlone)) { other.checked = false; }
        else if (other !== field && field.dataset.crowdAlone) { other.checked = false; }
      });
    });
  });
  source.crowdProblem = function () {
    return fields.some(function (field) { return field.checked; }) ? '' : 'Choose at least one.';
  };
}

// Scripts of a template set `categories`, `labels` and `src` later.
function redraw(source, draw) {
  if (source.crowdWatched) { return; }
  source.crowdWatched = true;
  ['categories', 'labels'].forEach(function (name) {
    Object.defineProperty(source, name, {
      configurable: true,
      get: function () { return lenient(source.getAttribute(name) || '[]'); },
      set: function (value) { source.setAttribute(name, typeof value === 'string' ? value : JSON.stringify(value)); }
    });
  });
  new MutationObserver(function () { draw(); refresh(); })
    .observe(source, { attributes: true, attributeFilter: ['categories', 'labels', 'src', 'header', 'exclusion-category', 'text'] });
}
