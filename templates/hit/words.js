// The beginning of page.js and moments.js, which name it: whose reader speaks what, and T, the word for it.
var NA = 'ASSIGNMENT_ID_NOT_AVAILABLE';
var query = new URLSearchParams(location.search);
// The page's words in the reader's language: the market's page says which (?lang=), elsewhere the browser does.
var tongue = (query.get('lang') || navigator.language).slice(0, 2), words = {}, table = document.getElementById('words');
if (table) words = JSON.parse(table.textContent)[tongue] || {};
function T(text) {
  var numbers = [], found = words[text.trim().replace(/\s+/g, ' ').replace(/\d[\d.,]*\d|\d/g, function (n) { numbers.push(n); return '#' })];
  return found ? text.replace(text.trim(), found.replace(/#/g, function () { return numbers.shift() })) : text;
}
// The reader's own keys stand for the usual ones in the same place: the market's page says which (?keys=).
var USUAL = '123456zrhv', mine = query.get('keys') || document.documentElement.dataset.keys || '';
// So do the colours that the reader chose (?theme=); without a choice the browser's.
var theme = query.get('theme');
if (theme) document.documentElement.dataset.theme = theme;
function usual(key) { var place = mine.indexOf(key); return place < 0 ? key : USUAL[place] }
if (words['Send answers']) {
  document.documentElement.lang = tongue;
  document.title = T(document.title);
  for (var walk = document.createTreeWalker(document.body, 5), it; (it = walk.nextNode());) {
    if (it.nodeType === 3) { if (!/SCRIPT|TEXTAREA/.test(it.parentNode.tagName)) it.nodeValue = T(it.nodeValue) }
    else ['alt', 'aria-label', 'title'].forEach(function (a) { if (it.hasAttribute(a)) it.setAttribute(a, T(it.getAttribute(a))) });
  }
}
