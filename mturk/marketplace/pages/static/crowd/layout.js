// Elements that show something and answer nothing.
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

function tabs(source) {
  var pages = list(source.querySelectorAll(':scope > crowd-tab'));
  var bar = make('div', { role: 'tablist', class: 'crowd-tabs' });
  var buttons = pages.map(function (page, index) {
    groups += 1;
    page.id = page.id || 'crowd-tab-' + groups;
    page.setAttribute('role', 'tabpanel');
    var tab = make('button', { type: 'button', role: 'tab', 'aria-controls': page.id }, [page.getAttribute('header') || 'Page ' + (index + 1)]);
    tab.addEventListener('click', function () { show(index); });
    tab.addEventListener('keydown', function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { show((index + step + pages.length) % pages.length).focus(); }
    });
    bar.append(tab);
    return tab;
  });
  function show(wanted) {
    pages.forEach(function (page, index) {
      page.hidden = index !== wanted;
      buttons[index].setAttribute('aria-selected', String(index === wanted));
      buttons[index].tabIndex = index === wanted ? 0 : -1;
    });
    return buttons[wanted];
  }
  // A field on a hidden page that the browser complains about brings its page to the front.
  source.addEventListener('invalid', function (event) {
    pages.forEach(function (page, index) { if (page.contains(event.target)) { show(index); } });
  }, true);
  source.prepend(bar);
  if (pages.length) { show(Math.max(0, pages.findIndex(function (page) { return page.hasAttribute('selected'); }))); }
}

function modal(source) {
  var close = make('button', { type: 'button' }, ['Close']);
  var box = make('dialog', { class: 'crowd-modal' }, contents(source).concat([close]));
  var link = make('button', { type: 'button' }, [source.getAttribute('link-text') || 'More']);
  source.replaceChildren(link, box);
  source.open = function () { if (!box.open) { box.showModal(); } };
  source.close = function () { box.close(); };
  link.addEventListener('click', source.open);
  close.addEventListener('click', source.close);
  if (source.hasAttribute('open') || source.hasAttribute('opened')) { source.open(); }
}

function alertBox(source) {
  source.setAttribute('role', 'alert');
  if (!source.hasAttribute('dismissible')) { return; }
  var close = make('button', { type: 'button', 'aria-label': 'Close', class: 'crowd-close' }, ['×']);
  close.addEventListener('click', function () { source.hidden = true; });
  source.append(close);
}

function card(source) {
  var heading = source.getAttribute('heading'), image = source.getAttribute('image');
  source.prepend(heading ? make('h3', {}, [heading]) : '', image ? make('img', { src: image, alt: '', class: 'crowd-picture' }) : '');
}

function badge(source) {
  if (!source.textContent.trim()) { source.append(make('span', { class: 'crowd-badge' }, [source.getAttribute('label') || source.getAttribute('icon') || ''])); }
}

function toast(source) {
  source.setAttribute('role', 'status');
  source.append(source.getAttribute('text') || '');
  source.hidden = !source.hasAttribute('opened');
  source.show = function () { source.hidden = false; };
  source.hide = function () { source.hidden = true; };
}
