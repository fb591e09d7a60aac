// Tells the work page that the answers arrived. Nothing secret is in the message, and the server is asked again.
(function () {
  'use strict';
  var data = document.getElementById('sent').dataset;
  if (window.parent !== window) {
    window.parent.postMessage({ market: 'submitted', assignmentId: data.assignment, repeated: data.repeated === '1' }, data.portal);
  }
})();
