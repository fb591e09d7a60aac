// Classifiers: one label, or several, of a text or a picture.
function picture(source) {
  return make('img', { src: source.getAttribute('src'), alt: 'The picture to classify', class: 'crowd-picture' });
}

// AWS's elements draw into a shadow, whose classes scripts of templates look for and put questions of their own beside.
// What these add stays when the choices are drawn again, and its changes stay inside, as in a shadow.
function shadowed(source) {
  var parts = { target: part(source, 'classification-target'), help: help(source), rest: leftovers(source) };
  parts.box = make('fieldset', { class: 'crowd-field category-picker-wrapper' });
  parts.area = make('div', { class: 'annotation-area' }, [parts.box]);
  parts.area.addEventListener('change', function (event) { if (!parts.box.contains(event.target)) { event.stopPropagation(); } });
  source.replaceChildren(parts.area);
  return parts;
}

function classifier(source, several) {
  var name = source.getAttribute('name') || source.localName, found = labels(source, 'categories'), first = !source.crowdParts;
  if (first) {
    source.crowdParts = shadowed(source);
    redraw(source, function () { classifier(source, several); });
    chosen(source, several);
  }
  var parts = source.crowdParts, target = /image/.test(source.localName) ? picture(source) : parts.target;
  delete source.dataset.crowdRefused;
  list(source.querySelectorAll(':scope > .crowd-missing')).forEach(function (old) { old.remove(); });
  if (!found) {
    parts.box.replaceChildren(parts.help || '', target || '', parts.rest);
    refuse(source, 'The categories of <' + source.localName + '> cannot be read.');
    return;
  }
  var without = several ? lenient(source.getAttribute('exclusion-category') || 'null') : null;
  var choices = found.map(function (item) { return choice(name, item, several); });
  if (without) { choices.push(choice(name, { label: String(without.text || without.label || without) }, several)); }
  for (var i = 0; i < choices.length; i += 1) { choices[i].firstChild.dataset.crowdAlone = without && i === choices.length - 1 ? '1' : ''; }
  var asked = make('legend', {}, [source.getAttribute('header') || (several ? 'Choose all that apply' : 'Choose one')]);
  parts.box.replaceChildren.apply(parts.box, [asked, parts.help, target].concat(choices, parts.rest).filter(Boolean));
  if (several) { exclusive(source, choices); }
}

// What scripts read as the element's value: the label that is chosen, or the list of them.
function chosen(source, several) {
  Object.defineProperty(source, 'value', {
    configurable: true,
    get: function () {
      var found = list(source.crowdParts.box.querySelectorAll('[data-crowd-label]:checked,[data-crowd-labels]:checked'));
      var values = found.map(function (field) { return field.value; });
      return several ? values : values[0] || '';
    }
  });
}

function choice(name, item, several) {
  var field = make('input', { type: several ? 'checkbox' : 'radio', name: name, value: item.label, required: !several });
  field.dataset[several ? 'crowdLabels' : 'crowdLabel'] = '1';
  return make('label', { class: 'crowd-tick' }, [field, make('span', {}, [item.text || item.label])]);
}

// Nothing ticked says nothing, so that one is needed; "none of them" goes with no other.
function exclusive(source, choices) {
  var fields = choices.map(function (one) { return one.firstChild; });
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
