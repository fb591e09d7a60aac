// Words of a text get labels: choose words with mouse, finger (a tap is a word) or the arrow keys, then press a label.
function entities(source) {
  var name = source.getAttribute('name') || 'annotatedResult', found = labels(source, 'labels'), instructions = prepared(source, entities);
  var text = source.getAttribute('text') || '';
  if (!found) { source.replaceChildren(instructions || ''); refuse(source, 'The labels of <' + source.localName + '> cannot be read.'); return; }
  var kept = source.crowdKept || (lenient(source.getAttribute('initial-value') || '') || []).slice(), cursor = { from: 0, to: 0 };
  var words = [], match, pattern = /\S+/g;
  while ((match = pattern.exec(text)) !== null) { words.push([match.index, match.index + match[0].length]); }
  var box = make('div', { class: 'crowd-text', tabindex: '0', role: 'application',
    'aria-label': 'Text. Arrow keys go from word to word, with Shift they choose several, then press a label.' });
  var none = make('input', { type: 'checkbox' }), items = make('ul', { class: 'crowd-items' });
  var answer = answering(source, name, function () { return { entities: kept }; }, function () {
    return kept.length || none.checked ? '' : 'Label something, or tick that there is nothing to label.';
  }, function (draft) { kept = draft.entities || []; show(); });

  function show() {
    kept.sort(function (a, b) { return a.startOffset - b.startOffset; });
    source.crowdKept = kept;
    answer.keep();
    box.replaceChildren();
    var marks = kept.map(function (item) { return [item.startOffset, item.endOffset, item.label]; }), at = 0;
    marks.forEach(function (mark) {
      box.append(text.slice(at, mark[0]), make('mark', { title: mark[2] }, [text.slice(mark[0], mark[1])]));
      at = mark[1];
    });
    box.append(text.slice(at));
    items.replaceChildren.apply(items, kept.map(function (item, index) {
      var shown = text.slice(item.startOffset, item.endOffset);
      var remove = make('button', { type: 'button', 'aria-label': 'Remove ' + item.label + ' ' + shown }, ['Remove']);
      remove.addEventListener('click', function () { kept.splice(index, 1); show(); });
      return make('li', {}, [item.label + ': ' + shown + ' ', remove]);
    }));
  }

  function placeOf(node, offset) {
    var before = document.createRange();
    before.selectNodeContents(box);
    before.setEnd(node, offset);
    return before.toString().length;
  }

  // A press on a word chooses it, so that a finger need not hold and pull.
  function press(event) {
    if (selected()) { return; }
    var caret = document.caretPositionFromPoint && document.caretPositionFromPoint(event.clientX, event.clientY);
    var range = !caret && document.caretRangeFromPoint ? document.caretRangeFromPoint(event.clientX, event.clientY) : null;
    var node = caret ? caret.offsetNode : range && range.startContainer;
    if (!node || !box.contains(node)) { return; }
    var place = placeOf(node, caret ? caret.offset : range.startOffset);
    var index = words.findIndex(function (word) { return place >= word[0] && place <= word[1]; });
    if (index < 0) { return; }
    cursor.from = cursor.to = index;
    choose(words[index][0], words[index][1]);
  }

  // Where in the text the browser's selection begins and ends, or null.
  function selected() {
    var selection = window.getSelection();
    if (!selection.rangeCount || selection.isCollapsed || !box.contains(selection.anchorNode) || !box.contains(selection.focusNode)) { return null; }
    var range = selection.getRangeAt(0), chosen = range.toString(), trimmed = chosen.trim();
    var start = placeOf(range.startContainer, range.startOffset);
    start += chosen.indexOf(trimmed);
    return trimmed ? [start, start + trimmed.length] : null;
  }

  function choose(start, end) {
    var walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT), range = document.createRange(), at = 0, node;
    while ((node = walker.nextNode()) !== null) {
      if (start >= at && start <= at + node.length) { range.setStart(node, start - at); }
      if (end >= at && end <= at + node.length) { range.setEnd(node, end - at); break; }
      at += node.length;
    }
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  }

  box.addEventListener('click', press);
  box.addEventListener('keydown', function (event) {
    var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !words.length) { return; }
    event.preventDefault();
    cursor.to = Math.max(0, Math.min(words.length - 1, cursor.to + (selected() ? step : 0)));
    if (!event.shiftKey) { cursor.from = cursor.to; }
    choose(words[Math.min(cursor.from, cursor.to)][0], words[Math.max(cursor.from, cursor.to)][1]);
  });
  var bar = make('div', { class: 'crowd-labels' }, found.map(function (item) {
    var label = make('button', { type: 'button' }, [item.text]);
    label.addEventListener('mousedown', function (event) { event.preventDefault(); });
    label.addEventListener('click', function () {
      var chosen = selected();
      if (!chosen) { return; }
      kept = kept.filter(function (other) { return other.endOffset <= chosen[0] || other.startOffset >= chosen[1]; });
      kept.push({ endOffset: chosen[1], label: item.label, startOffset: chosen[0] });
      none.checked = false;
      show();
    });
    return label;
  }));
  none.addEventListener('change', function () { if (none.checked) { kept = []; show(); } });
  source.replaceChildren(make('fieldset', { class: 'crowd-field' }, [make('legend', {}, [source.getAttribute('header') || 'Label the text']),
    instructions, box, bar, make('label', { class: 'crowd-tick' }, [none, make('span', {}, ['There is nothing to label'])]), items, answer.field]));
  show();
}
