// The words of the scripts in the page's language: the page brings them along, English is the key. Numbers are written as
// the language writes them.
const words = (() => {
  const table = JSON.parse(document.getElementById("words").textContent), language = document.documentElement.lang;
  const number = (value) => value.toLocaleString(language);
  const said = (text, values = {}) => (table[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : value ?? whole;
  });
  const counted = (count, one, many, values = {}) => said(count === 1 ? one : many, { count, ...values });
  return { said, counted, number };
})();
