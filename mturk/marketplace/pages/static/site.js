// Times in the reader's own time zone; without this script they stand in UTC.
(function () {
  'use strict';
  document.querySelectorAll('time[datetime]').forEach(function (element) {
    var when = new Date(element.dateTime);
    if (!isNaN(when)) {
      element.title = element.textContent;
      element.textContent = when.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    }
  });
})();
