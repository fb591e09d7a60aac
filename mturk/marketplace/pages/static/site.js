// Times in the reader's own time zone, in the page's language; without this script they stand in UTC.
(function () {
  'use strict';
  // On a phone the pages' links are one row: it begins where one is.
  var row = document.querySelector('.top nav'), here = row && row.querySelector('[aria-current]');
  if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  var page = document.documentElement.lang;
  var words = navigator.language.slice(0, 2) === page ? [] : page;
  document.querySelectorAll('time[datetime]').forEach(function (element) {
    var when = new Date(element.dateTime);
    if (!isNaN(when)) {
      element.title = element.textContent;
      element.textContent = when.toLocaleString(words, { dateStyle: 'medium', timeStyle: 'short' });
    }
  });
})();
