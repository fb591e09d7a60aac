// Our own replacement for the script of that name: fills the assignment id, and locks the form in a preview.
(function () {
  'use strict';
  window.turkGetParam = function (name, fallback) {
    var value = new URLSearchParams(window.location.search).get(name);
    return value === null ? (fallback === undefined ? '' : fallback) : value;
  };
  window.turkGetSubmitToHost = function () {
    return window.turkGetParam('turkSubmitTo', window.location.origin === 'null' ? '' : window.location.origin);
  };
  window.turkSetAssignmentID = function (given) {
    var id = given === undefined || given === null ? window.turkGetParam('assignmentId') : given;
    var field = document.getElementById('assignmentId');
    var button = document.getElementById('submitButton');
    var form = document.getElementById('mturk_form');
    if (field) { field.value = id; }
    if (button && id === 'ASSIGNMENT_ID_NOT_AVAILABLE') {
      button.disabled = true;
      button.value = 'You must ACCEPT the HIT before you can submit the results.';
      if (button.tagName === 'BUTTON') { button.textContent = button.value; }
    }
    if (form) { form.action = window.turkGetSubmitToHost() + '/mturk/externalSubmit'; }
  };
})();
