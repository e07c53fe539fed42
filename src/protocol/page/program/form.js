// The form: what was delivered, taken out of the document first, becomes fields, and the fields an order.

const AUTOCOMPLETE = { name: "name", address: "street-address", telephone: "tel", card: "cc-number", email: "email" };
const MAX_LENGTH = 500;

const $ = (id) => document.getElementById(id);
const page = JSON.parse($("delivered").textContent);
$("delivered").remove();

const lang = page.lang ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? "en";
/** A text in the user's language, with values put in. */
const say = (name, ...values) => TEXTS[lang][name].replace(/\{(\d)\}/g, (_, index) => values[index]);
/** A shop's text: one for all, or one for each language. */
const own = (text) => (typeof text === "string" ? text : text[lang] ?? text.en ?? Object.values(text)[0]);

/** Makes an element with properties, attributes (names with a dash) and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Names to screen readers what belongs to a control: its hint and its error. */
function describe(control, error = "") {
  const ids = [control.hint, error].filter(Boolean).join(" ");
  if (ids) control.setAttribute("aria-describedby", ids);
  else control.removeAttribute("aria-describedby");
}

/** A control with its label. It has no name: a control named `reset` would hide the form's own `reset`. */
function labelled(id, control, ...label) {
  control.id = id;
  describe(control);
  // Or scrolling would change the number.
  if (control.type === "number") control.onwheel = () => control.blur();
  return make("div", { className: "field" }, make("label", { htmlFor: id }, ...label), control);
}

const optional = () => [" ", make("small", {}, say("optional"))];

const DATES = { min: "1900-01-01", max: "9999-12-31" };
const INPUT = { telephone: ["tel", "tel"], card: ["text", "numeric"], email: ["email", "email"], number: ["number", "decimal"], date: ["date", ""] };

/** A field; its control knows its label, how it is checked, and its value. */
function field(rule, prefix = "", part = "") {
  const label = rule.label ? own(rule.label) : say(rule.name);
  const [type, inputMode] = INPUT[rule.type] ?? ["text", "text"];
  let control;
  if (rule.type === "multiline") control = make("textarea", { rows: 3 });
  else if (rule.type === "choice") {
    control = make("select", {}, make("option", { value: "" }), ...rule.choices.map((choice) => make("option", { value: own(choice) }, own(choice))));
  } else control = make("input", { type, inputMode, step: "any" });
  if (type === "date") Object.assign(control, DATES);
  if (rule.required) control.setAttribute("aria-required", "true");
  control.autocomplete = (prefix && "shipping ") + (Object.hasOwn(AUTOCOMPLETE, rule.name) ? AUTOCOMPLETE[rule.name] : "off");
  control.label = part + label;
  control.given = () => given(control, rule);
  control.check = () => complaint(control, rule);
  const element = labelled(`field-${prefix}${rule.name}`, control, label, ...(rule.required ? [] : optional()));
  if (rule.type in INPUT || rule.type === "choice") element.classList.add("short");
  return element;
}

/** Another address to deliver to, behind a box to tick. */
const DELIVERY = [
  { name: "name", type: "text", required: true },
  { name: "address", type: "multiline", required: true },
  { name: "telephone", type: "telephone", required: false },
];
function delivery(rule) {
  const box = make("input", { type: "checkbox", id: "elsewhere", autocomplete: "off" });
  const label = rule.label ? own(rule.label) : say("delivery_address");
  const group = make("fieldset", { id: "delivery", "aria-label": label },
    ...DELIVERY.map((part) => field(part, "delivery_address.", say("problem", label, ""))));
  box.onchange = () => { group.hidden = group.disabled = !box.checked; };
  box.onchange();
  return make("div", {}, make("p", {}, make("label", {}, box, label)), group);
}

/** All decimals of the currency, or browsers leave some out; none where all prices are whole. */
const DECIMALS = (page.items ?? []).every((item) => Number.isInteger(item.price ?? 0)) ? {}
  : { minimumFractionDigits: page.decimals, maximumFractionDigits: page.decimals };
const price = (amount) => new Intl.NumberFormat(lang, page.currency ? { style: "currency", currency: page.currency, ...DECIMALS } : {}).format(amount);

/** How many are chosen of an item; 0 where it is not a whole number. */
const chosenOf = (control) => (control.check() ? 0 : control.valueAsNumber || 0);

function quantity(id, item, value, least, hint = "") {
  const control = make("input", { type: "number", min: least, max: 9999, step: 1, defaultValue: value, inputMode: "numeric", autocomplete: "off", hint });
  control.check = () => {
    const pieces = control.value === "" && !control.validity.badInput ? 0 : control.valueAsNumber;
    return Number.isInteger(pieces) && pieces >= least && pieces <= 9999 ? "" : say("bad_quantity", least);
  };
  control.label = say("problem", item, say("quantity"));
  control.setAttribute("aria-label", control.label);
  return [control, labelled(id, control, say("quantity"))];
}

/** Shows the goods, or free rows without a list; the result gives what is chosen. */
function goods() {
  const rows = [];
  for (const [index, item] of (page.items ?? []).entries()) {
    const name = own(item.name);
    const cost = "price" in item ? [make("div", { id: `price-${index}`, className: "price" }, price(item.price))] : [];
    const [control, counted] = quantity(`quantity-${index}`, name, 0, 0, cost[0]?.id);
    const facts = ["specification", "performance"].filter((fact) => fact in item).map((fact) =>
      make("div", {}, make("dt", {}, say("problem", say(fact), "")), make("dd", {}, own(item[fact]))));
    const described = facts.length ? [make("dl", {}, ...facts)] : [];
    const picture = item.picture ? [make("img", { src: item.picture, alt: "" })] : [];
    $("goods").append(make("div", { className: "item" }, ...picture,
      make("div", {}, make("strong", {}, name), ...cost, ...described), counted));
    rows.push(() => ({ item: item.id, name, quantity: chosenOf(control), price: item.price }));
  }
  if (!page.items) {
    const free = make("div");
    const add = () => {
      const name = make("input", { autocomplete: "off" });
      name.label = say("item", rows.length + 1);
      const [control, counted] = quantity(`quantity-${rows.length}`, name.label, 1, 1);
      const first = rows.length === 0;
      if (first) name.setAttribute("aria-required", "true");
      const checkPieces = control.check;
      control.check = () => (first || name.value.trim() ? checkPieces() : "");
      name.check = () => (characters(name.value) > MAX_LENGTH ? say("too_long", MAX_LENGTH)
        : first && !name.value.trim() ? say("missing") : "");
      const named = labelled(`item-${rows.length}`, name, name.label);
      named.classList.add("wide");
      free.append(make("div", { className: "item" }, named, counted));
      rows.push(() => ({ item: name.value.trim(), quantity: name.value.trim() ? chosenOf(control) : 0 }));
      return name;
    };
    add();
    $("goods").append(free, make("button", { type: "button", onclick: () => { if (!busy) add().focus(); } }, say("more")));
  }
  return () => rows.map((row) => row()).filter((row) => row.quantity > 0);
}

const chosen = goods();

const characters = (text) => Array.from(text).length;

/** A control's value as it is checked and sent. */
function given(control, { type }) {
  const value = control.value.trim();
  if (type === "number") return value && String(control.valueAsNumber);
  if (!["telephone", "card", "email"].includes(type)) return value;
  const plain = value.normalize("NFKC");
  // Input methods make many hyphens, also the mark of long vowels.
  return type === "email" ? plain : plain.replace(/[\u2010-\u2015\u2212\u30fc]/g, "-");
}

/** What is wrong with a control's value, if anything. */
function complaint(control, { type, required, max = MAX_LENGTH }) {
  const { badInput, rangeUnderflow, rangeOverflow } = control.validity;
  if (badInput || rangeUnderflow || rangeOverflow) return say(type === "date" ? "bad_date" : "bad_number");
  const value = given(control, { type });
  if (!value) return required ? say(["choice", "date"].includes(type) ? "unchosen" : "missing") : "";
  if (characters(value) > max) return say("too_long", max);
  // Browsers do not keep more digits of every number.
  if (type === "number" && control.value.replace(/e.*/i, "").replace(/\D/g, "").replace(/^0+|0+$/g, "").length > 15) return say("long_number");
  const digits = value.replace(/\D/g, "");
  if (type === "telephone" && !(/^\+?[\d\s()./-]+$/.test(value) && digits.length >= 5 && digits.length <= 20)) return say("bad_telephone");
  if (type === "email" && !/^\S+@\S+\.\S+$/.test(value)) return say("bad_email");
  if (type === "card" && !(/^[\d\s-]+$/.test(value) && /^\d{12,19}$/.test(digits) && luhn(digits))) return say("bad_card");
  return "";
}

/** The check digit of card numbers (ISO/IEC 7812-1). */
const luhn = (digits) => Array.from(digits).reverse().map(Number)
  .reduce((sum, digit, index) => sum + (index % 2 ? (digit * 2 % 9) || digit : digit), 0) % 10 === 0;

/** The order as the shop gets it. */
function collect() {
  const filledIn = (rules, prefix = "") => rules
    .map(({ name }) => [name, $(`field-${prefix}${name}`).given()]).filter(([, value]) => value);
  const order = Object.fromEntries(filledIn(page.fields.filter(({ type }) => type !== "delivery")));
  order.items = chosen();
  if ($("elsewhere")?.checked) order.delivery_address = Object.fromEntries(filledIn(DELIVERY, "delivery_address."));
  order.ordered = new Date().toISOString();
  return order;
}

function showSummary() {
  const rows = chosen();
  const lines = rows.map((row) => make("li", {},
    make("span", {}, `${row.name ?? row.item} × ${row.quantity}`),
    make("span", {}, row.price === undefined ? "" : price(row.price * row.quantity))));
  $("chosen").replaceChildren(...(lines.length ? lines : [make("li", { className: "small" }, say("nothing"))]));
  $("total").hidden = !rows.some((row) => row.price !== undefined);
  $("total").querySelector("output").value = price(rows.reduce((sum, row) => sum + (row.price ?? 0) * row.quantity, 0));
}

/** Checks all fields; explains what is wrong beside each, and on top. */
function correct() {
  const problems = [];
  const mark = (control, found, summary, beside = control) => {
    const id = `${control.id}-error`;
    problems.push([control.id, summary]);
    beside.after(make("p", { id, className: "error" }, found));
    control.setAttribute("aria-invalid", "true");
    describe(control, id);
    const folded = control.closest("details");
    if (folded) folded.open = true;
  };
  const controls = [...$("form").querySelectorAll("input, textarea, select")].filter(({ check }) => check);
  for (const control of controls) {
    $(`${control.id}-error`)?.remove();
    control.removeAttribute("aria-invalid");
    describe(control);
  }
  const wrong = controls.map((control) => [control, control.matches(":disabled") ? "" : control.check()]).filter(([, found]) => found);
  const ofGoods = wrong.some(([control]) => control.closest("#goods"));
  if (!ofGoods && !chosen().length) mark($("goods").querySelector("input"), say("no_items"), say("no_items"), $("goods-title"));
  for (const [control, found] of wrong) mark(control, found, say("problem", control.label, found));
  const links = problems.map(([id, found]) => {
    const link = make("a", { href: `#${id}` }, found);
    link.onclick = (event) => { event.preventDefault(); $(id).focus(); };
    return make("li", {}, link);
  });
  if (problems.length) complain(say("problems"), make("ul", {}, ...links));
  return problems.length === 0;
}
