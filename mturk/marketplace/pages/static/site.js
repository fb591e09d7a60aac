// Times in the reader's own time zone, in the page's language; without this script they stand in UTC.
(function () {
  'use strict';
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
