// A form that a shop already has: whether it is harmless by itself, and what is typed into it.

const script = document.currentScript;
const data = script.dataset;
// A field may hide the form's members of its name, such as `name` or `reset`: those are not used.
const form = data.form ? document.getElementById(data.form) : document.forms.length === 1 ? document.forms[0] : null;

const fields = () => [...document.querySelectorAll("input, select, textarea, button")].filter((field) => field.form === form);
const buttons = () => fields().filter(({ type }) => type === "submit");

/** Fails if the browser could send what is typed without this script. */
function checkHarmless() {
  const unsafe = (what) => { throw new Trouble("unsafe", { values: [what] }); };
  if (form?.tagName !== "FORM") unsafe("data-form");
  if (form.hasAttribute("action")) unsafe("action");
  if (form.getAttribute("method")?.toLowerCase() !== "dialog") unsafe("method");
  for (const field of fields()) {
    for (const name of ["formaction", "formmethod"]) if (field.hasAttribute(name)) unsafe(name);
    if (["file", "image"].includes(field.type)) unsafe(field.type);
  }
}

/** What is typed, as the fields are named; a list for a name that several values can have. */
function collect(submitter) {
  const entries = new FormData(form, submitter);
  const isList = (name) => {
    const own = fields().filter((field) => field.name === name && !["radio", "submit"].includes(field.type));
    return own.length > 1 || own[0]?.multiple;
  };
  return Object.fromEntries([...new Set(entries.keys())].map((name) => {
    const values = entries.getAll(name);
    if (!values.every(isText)) throw new Trouble("file");
    return [name, isList(name) || values.length > 1 ? values : values[0]];
  }));
}

/** Takes values of fields that the user sees out of the address: what follows `#` is sent to nobody. */
function prefill() {
  const given = new URLSearchParams(location.hash.slice(1));
  const own = fields().filter((field) => field.name && given.has(field.name) && !/password|submit|reset|button/.test(field.type) &&
    field.getClientRects().length && !field.readOnly && !field.matches(":disabled"));
  for (const field of own) {
    const values = given.getAll(field.name);
    if (/checkbox|radio/.test(field.type)) field.checked = values.includes(field.value);
    else if (field.options) for (const option of field.options) option.selected = values.includes(option.value);
    // What the user typed before the script was there stays.
    else if (field.value === field.defaultValue) [field.value] = values;
  }
  if (own.length) history.replaceState(history.state, "", location.href.split("#")[0]);
}
