// The order page: an order is filled in, sealed as one line of JWE (RFC 7516), sent to the shop,
// and what was delivered for it is erased. `orderseal bundle client --form html` puts this file into
// the page as it stands, with its hash in the page's policy. Nothing else is loaded, ever.
// docs/PAGE.md describes the order, and what a page cannot promise.

const TEXTS = {
  en: {
    lead: "Your order is encrypted in this browser before it goes to the shop.",
    goods: "What would you like?", person: "Your details", summary: "Your order",
    name: "Name", address: "Address", telephone: "Telephone", card: "Card number",
    delivery_address: "Deliver to another address", optional: "(optional)",
    item: "Item {0}", quantity: "Quantity", specification: "Specification", performance: "Performance", more: "Add another item", total: "Total",
    nothing: "Nothing chosen yet",
    typed: "Encrypt with words of my own", words: "My words",
    typed_hint: "Instead of a random key. Use many words that nobody can guess: weak words make a weak key.",
    order: "Place the order", seal: "Encrypt the order", sealing: "Encrypting …", sending: "Sending …",
    how_send: "Encrypted with {0}, then sent to {1} and nowhere else.",
    how_keep: "Encrypted with {0}. You then download or copy it for the shop.",
    left: "Orders left on this page: {0}",
    step_fill: "Fill in", step_seal: "Encrypt", step_send: "Send", step_erase: "Erase",
    sealed: "Your order is encrypted", earlier: "An earlier order may not have reached the shop",
    earlier_next: "You placed it on {0} (order reference: {1}). If the shop has it, press “{2}”. Otherwise pass it on now: it is the same order, byte for byte.",
    next_send: "Next: send it to {0}. The key and your entries are erased already.",
    next_keep: "Next: download or copy it, and give it to the shop. The key and your entries are erased already.",
    line: "This is all that the shop receives",
    send: "Send to the shop", download: "Download", copy: "Copy", kept: "Done: erase it here",
    downloaded: "It should be in your downloads now, as {0}.", copied: "It is on the clipboard now.",
    check_kept: "Please make sure that you have it, then press “{0}”: only then is it erased here.",
    unkept: "This browser cannot keep the encrypted order: please do not close or reload this page before the shop has it.",
    done: "Thank you!", sent: "The shop has received your order.", given: "This page is done with your order. If you downloaded or copied it, please give that to the shop.",
    erased: "The key, the program and your entries were removed from this page.",
    not_erased: "The key, the program and your entries were removed from this page, but the browser did not let it erase its copy of the encrypted order: the page will show that order once more.",
    receipt: "Order reference: {0}", again: "Place another order", next_unsent: "Go on to the next order that may not have reached the shop",
    problems: "Please correct:", problem: "{0}: {1}", missing: "Please fill this in", too_short: "At least {0} characters", unchosen: "Please choose",
    no_items: "Please choose at least one item", bad_quantity: "A whole number from {0} to 9999",
    bad_telephone: "A telephone number has 5 to 20 digits, like +81 3 1234 5678",
    bad_email: "An e-mail address looks like name@example.com",
    bad_card: "A card number has 12 to 19 digits; please check for a typing error",
    bad_number: "Please enter a number", long_number: "A number has at most 15 significant digits", bad_date: "Please enter a date, with a year from 1900 to 9999", too_long: "At most {0} characters",
    used_up: "Every key of this page has been used. Please get a new page from the shop.",
    unfinished: "The order that you began on {0} was interrupted. If you saw no confirmation, and no other window is still at it, please ask the shop whether it has arrived.",
    gone: "This page takes one order, and that was begun already. Please get a new page from the shop.",
    no_memory: "This browser does not let the page remember which keys it has used, so it cannot place an order safely. Please allow site data, leave the private window, or make room on the disk.",
    memory_full: "This browser has no room left for the page to remember which keys it has used, so it cannot place an order safely. Please delete data of other sites.",
    memory_damaged: "What this browser remembers of the keys that were used is damaged, so no order can be placed safely. Please get a new page from the shop.",
    no_crypto: "This browser cannot encrypt here. Please open the page as a file or over https.",
    not_sent: "The shop has not confirmed the order ({0}). Nothing is lost: send it again, or download or copy it.",
    no_answer: "no answer that this page may read", answer: "answer {0}",
    not_copied: "The browser does not allow copying. Please select the text below and copy it yourself.",
    failed: "Something went wrong, and nothing was sent: {0}",
    failed_late: "Something went wrong after your order was encrypted. Nothing is lost: send, download or copy it. ({0})",
  },
  ja: {
    lead: "ご注文は、このブラウザーの中で暗号化されてから店舗に送られます。",
    goods: "商品", person: "お客様の情報", summary: "ご注文内容",
    name: "お名前", address: "ご住所", telephone: "電話番号", card: "カード番号",
    delivery_address: "別の住所に届ける", optional: "（任意）",
    item: "商品 {0}", quantity: "数量", specification: "仕様", performance: "性能", more: "商品を追加", total: "合計",
    nothing: "まだ選ばれていません",
    typed: "自分で決めた言葉で暗号化する", words: "自分で決めた言葉",
    typed_hint: "乱数の鍵の代わりに使います。推測されにくい言葉を、いくつも組み合わせてください。弱い言葉は弱い鍵になります。",
    order: "注文する", seal: "注文を暗号化する", sealing: "暗号化しています…", sending: "送信しています…",
    how_send: "{0} で暗号化し、{1} だけに送信します。",
    how_keep: "{0} で暗号化します。その後、ダウンロードまたはコピーして店舗に渡します。",
    left: "このページで注文できる残り回数：{0}",
    step_fill: "入力", step_seal: "暗号化", step_send: "送信", step_erase: "消去",
    sealed: "ご注文を暗号化しました", earlier: "以前のご注文が店舗に届いていない可能性があります",
    earlier_next: "{0} のご注文です（注文番号：{1}）。すでに店舗に届いている場合は「{2}」を押してください。届いていない場合は、ここから店舗に渡してください。内容はまったく同じものです。",
    next_send: "次に {0} へ送信してください。鍵と入力内容はすでに消去されました。",
    next_keep: "次にダウンロードまたはコピーして、店舗に渡してください。鍵と入力内容はすでに消去されました。",
    line: "店舗が受け取るのは次の内容だけです",
    send: "店舗へ送信", download: "ダウンロード", copy: "コピー", kept: "完了（このページから消去する）",
    downloaded: "{0} のダウンロードを開始しました。保存先をご確認ください。", copied: "クリップボードにコピーしました。",
    check_kept: "お手元にあることを確認してから「{0}」を押してください。それまでは、このページから消去されません。",
    unkept: "このブラウザーには暗号化されたご注文を保存できません。店舗に渡すまで、このページを閉じたり再読み込みしたりしないでください。",
    done: "ありがとうございました", sent: "店舗がご注文を受け取りました。", given: "このページでの手続きは完了しました。ダウンロードまたはコピーしたものは、店舗に渡してください。",
    erased: "鍵、プログラム、入力内容はこのページから取り除かれました。",
    not_erased: "鍵、プログラム、入力内容はこのページから取り除かれましたが、暗号化されたご注文の控えはブラウザーから消去できませんでした。このご注文はもう一度表示されます。",
    receipt: "注文番号：{0}", again: "続けて注文する", next_unsent: "店舗に届いていない可能性のある次の注文へ進む",
    problems: "次の項目をご確認ください：", problem: "{0}：{1}", missing: "入力してください", too_short: "{0} 文字以上で入力してください", unchosen: "選択してください",
    no_items: "商品を一つ以上選んでください", bad_quantity: "{0} から 9999 までの整数で入力してください",
    bad_telephone: "電話番号は 5～20 桁の数字で入力してください（例：03-1234-5678）",
    bad_email: "メールアドレスの形式をご確認ください（例：name@example.com）",
    bad_card: "カード番号は 12～19 桁です。入力の誤りがないかご確認ください",
    bad_number: "数値を入力してください", long_number: "有効数字は 15 桁以内で入力してください", bad_date: "日付を入力してください（1900 年から 9999 年まで）", too_long: "{0} 文字以内で入力してください",
    used_up: "このページの鍵はすべて使用済みです。店舗から新しいページを受け取ってください。",
    unfinished: "{0} に始めたご注文は途中で中断されました。完了の画面が表示されず、別のウィンドウでも処理中でない場合は、届いているかどうかを店舗にご確認ください。",
    gone: "このページで受け付けるご注文は一回だけで、すでに注文が始められています。店舗から新しいページを受け取ってください。",
    no_memory: "どの鍵を使用済みにしたかをブラウザーに記録できないため、安全に注文できません。サイトデータの保存を許可するか、プライベートウィンドウ以外で開くか、ディスクの空き容量を増やしてください。",
    memory_full: "ブラウザーの保存領域に空きがなく、どの鍵を使用済みにしたかを記録できないため、安全に注文できません。ほかのサイトのデータを削除してください。",
    memory_damaged: "使用済みの鍵の記録が壊れているため、安全に注文できません。店舗から新しいページを受け取ってください。",
    no_crypto: "ここでは暗号化ができません。ファイルとして、または https で開いてください。",
    not_sent: "店舗の受信を確認できませんでした（{0}）。注文は失われていません。もう一度送信するか、ダウンロードまたはコピーしてください。",
    no_answer: "読み取れる応答がありません", answer: "応答 {0}",
    not_copied: "コピーが許可されていません。下の文字列を選択してコピーしてください。",
    failed: "問題が発生しました。何も送信されていません：{0}",
    failed_late: "暗号化の後で問題が発生しました。注文は失われていません。送信、ダウンロード、またはコピーしてください。（{0}）",
  },
};
const AUTOCOMPLETE = { name: "name", address: "street-address", telephone: "tel", card: "cc-number", email: "email" };
const MAX_LENGTH = 500;
const LEAST_WORDS = 12; // characters
const PBKDF2_ROUNDS = 600000;
const SEND_TIMEOUT = 60000; // milliseconds
const MEMORY_TIMEOUT = 10000;

const utf8 = (text) => new TextEncoder().encode(text);
const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

// ---- What was delivered: taken out of the document before anything else happens.

const $ = (id) => document.getElementById(id);
const { keys: deliveredKeys, ...page } = JSON.parse($("delivered").textContent);
$("delivered").remove();

const lang = page.lang ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? "en";
/** The words of that name in the reader's language, with values put in. */
const say = (name, ...values) => TEXTS[lang][name].replace(/\{(\d)\}/g, (_, index) => values[index]);
/** A text of the shop: the same for all, or one for each language. */
const own = (text) => (typeof text === "string" ? text : text[lang] ?? text.en ?? Object.values(text)[0]);

/** Something that is told to the reader in words of TEXTS: where the reader goes on, and whether the form is of no use any more. */
class Trouble extends Error {
  constructor(words, { focus = "trouble", final = false } = {}) {
    super(words);
    Object.assign(this, { focus, final });
  }
}

// ---- Keys. Script never sees their bytes again: no key imported here can be exported.

const KEY_USE = {
  "dir": ["AES-GCM", "encrypt"],
  "A256KW": ["AES-KW", "wrapKey"],
  "A128KW": ["AES-KW", "wrapKey"],
  "RSA-OAEP-256": ["RSA-OAEP", "wrapKey"],
};
const [algorithm, usage] = KEY_USE[page.alg];

let keys = [];

/** Imports keys of the form [id, secret key or modulus, exponent unless it is 65537], but for those that are spent. */
const importKeys = (spent) => Promise.all(deliveredKeys.splice(0).filter(([id]) => !spent.has(id)).map(async ([id, value, e = "AQAB"]) => {
  const imported = page.alg === "RSA-OAEP-256"
    ? crypto.subtle.importKey("jwk", { kty: "RSA", n: value, e }, { name: algorithm, hash: "SHA-256" }, false, [usage])
    : crypto.subtle.importKey("raw", fromBase64url(value), algorithm, false, [usage]);
  return { id, key: await imported };
}));

/** A content-encryption key. It has to be extractable, or it could not be wrapped. */
const contentKey = (bytes) => {
  const cipher = { name: "AES-GCM", length: page.enc === "A128GCM" ? 128 : 256 };
  return bytes
    ? crypto.subtle.importKey("raw", bytes.subarray(0, cipher.length / 8), cipher, true, ["encrypt"])
    : crypto.subtle.generateKey(cipher, true, ["encrypt"]);
};

/** The content-encryption key from the user's own words: PBKDF2, then HKDF-Expand (RFC 5869). */
async function typedKey(words, header) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  header.typed = { i: 0, rounds: PBKDF2_ROUNDS, salt: base64url(salt) };
  const source = await crypto.subtle.importKey("raw", utf8(words), "PBKDF2", false, ["deriveKey"]);
  const master = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS }, source,
    { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
  );
  // The first block of the expansion: info is the order's number as 64 bits, then the block's, 1.
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", master, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1)));
  const key = await contentKey(bytes);
  bytes.fill(0);
  return key;
}

/** Seals an order: the same line that `orderseal encrypt` makes. */
async function seal(order, kid, key, words) {
  const header = { alg: page.alg, enc: page.enc, kid };
  let cek = key, wrapped = new Uint8Array();
  if (page.alg !== "dir") {
    cek = await (words ? typedKey(words, header) : contentKey());
    wrapped = new Uint8Array(await crypto.subtle.wrapKey("raw", cek, key, algorithm));
  }
  const additionalData = base64url(utf8(JSON.stringify(header)));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: utf8(additionalData), tagLength: 128 }, cek, utf8(JSON.stringify(order)),
  ));
  return [additionalData, ...[wrapped, iv, ciphertext.subarray(0, -16), ciphertext.subarray(-16)].map(base64url)].join(".");
}

// ---- What the browser remembers: ids that are spent, before anything is sealed with their keys; when
// orders were begun; and sealed orders until the shop has them. Never a key.

const MEMORY = `orderseal:${page.shop}:${page.id}`;
const nothingYet = { spent: [], count: 0, erased: false, begun: [], unsent: [] };
/** Whether an order needs the memory: a reusable key that only wraps fresh keys can do without. */
const needsMemory = !page.reusable || "budget" in page || page.erase;

const isText = (value) => typeof value === "string";
const isState = ({ spent, count, erased, begun, unsent }) =>
  Array.isArray(spent) && spent.every(isText) && Number.isSafeInteger(count) && count >= spent.length &&
  typeof erased === "boolean" && begun.every(isText) &&
  unsent.every(({ kid, line, ordered }) => [kid, line, ordered].every(isText));

/** The state in the database, or the first one. */
function checked(state = nothingYet) {
  try {
    if (isState(state)) return state;
  } catch { /* told below */ }
  throw new Trouble(say("memory_damaged"));
}

/** Opens the database, if that is not too late. */
const openMemory = (late) => new Promise((resolve, reject) => {
  const request = indexedDB.open(MEMORY, 1);
  late.onabort = reject;
  request.onupgradeneeded = () => request.result.createObjectStore("state");
  request.onsuccess = () => (late.aborted ? request.result.close() : resolve(request.result));
  request.onerror = () => reject(request.error);
});

/**
 * Makes a change, a function of the state that gives the next state and a result, in one transaction: other tabs
 * wait for its end, and by then it is on the disk, where the browser obeys the hint.
 */
const transact = (database, change, late) => new Promise((resolve, reject) => {
  const transaction = database.transaction("state", "readwrite", { durability: "strict" });
  const store = transaction.objectStore("state");
  let result, failure = null;
  transaction.oncomplete = () => resolve(result);
  transaction.onabort = () => reject(failure ?? transaction.error);
  late.onabort = () => {
    try {
      transaction.abort();
    } catch { /* it has come so far that it will complete */ }
  };
  const reading = store.get(MEMORY);
  reading.onsuccess = () => {
    try {
      const [next, found] = change(checked(reading.result));
      result = found;
      store.put(next, MEMORY);
    } catch (error) {
      failure = error;
      transaction.abort();
    }
  };
});

/** Makes a change, and tells the reader why the browser does not remember it: some do not even answer. */
async function remember(change) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), MEMORY_TIMEOUT);
  let database = null;
  try {
    database = await openMemory(late.signal);
    return await transact(database, change, late.signal);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(say(error?.name === "QuotaExceededError" ? "memory_full" : "no_memory"));
  } finally {
    clearTimeout(timer);
    database?.close();
  }
}

/** Makes a change that is remembered if an order needs it. */
const rememberIfNeeded = (change) => remember(change).catch((error) => {
  if (needsMemory) throw error;
  return change(nothingYet)[1];
});

/** Orders that can still be placed. */
const left = ({ spent, count, erased }) => (erased ? 0
  : Math.min(page.erase ? 1 : Infinity, page.reusable ? (page.budget ?? Infinity) - count : page.orders - spent.length));

/** Refuses to go on where no order is left. */
function checkLeft(state) {
  if (state.erased) throw new Trouble(say("gone"), { final: true });
  if (left(state) < 1) throw new Trouble(say("used_up"), { final: true });
}

/** What is remembered; it is written back, to find out whether this browser can. */
const recall = () => rememberIfNeeded((state) => [state, state]);

/** Takes the next key for good, for an order that is begun at that time. What was told of others need not be told again. */
const spend = (ordered) => rememberIfNeeded((state) => {
  checkLeft(state);
  const next = keys.find(({ id }) => !state.spent.includes(id));
  if (!next) throw new Trouble(say("used_up"), { final: true });
  const spent = page.reusable ? state.spent : [...state.spent, next.id];
  const begun = [...state.begun.filter((time) => !told.includes(time)), ordered];
  return [{ ...state, spent, count: state.count + 1, erased: page.erase, begun }, next];
});

/** The state without an order, sealed or only begun. */
const without = (state, { line, ordered }) => ({
  ...state, begun: state.begun.filter((time) => time !== ordered), unsent: state.unsent.filter((order) => order.line !== line),
});

/** Keeps a sealed order for the case that the page is closed before the shop has it. */
const keep = (order) => remember((state) => {
  const next = without(state, order);
  return [{ ...next, unsent: [...next.unsent, order] }];
});

/** Forgets it, and tells what is left. */
const forget = (order) => remember((state) => {
  const next = without(state, order);
  return [next, next];
});

// ---- The form.

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

/** Tells screen readers what belongs to a control: its hint, and what is wrong with it. */
function describe(control, error = "") {
  const ids = [control.hint, error].filter(Boolean).join(" ");
  if (ids) control.setAttribute("aria-describedby", ids);
  else control.removeAttribute("aria-describedby");
}

/**
 * A labelled control with room for its complaint. It has an id and no name: a control called `reset`
 * would take the place of the form's own `reset`.
 */
function labelled(id, control, ...label) {
  control.id = id;
  describe(control);
  // Or whoever scrolls changes the number.
  if (control.type === "number") control.onwheel = () => control.blur();
  return make("div", { className: "field" }, make("label", { htmlFor: id }, ...label), control);
}

const optional = () => [" ", make("small", {}, say("optional"))];

const DATES = { min: "1900-01-01", max: "9999-12-31" };
const INPUT = { telephone: ["tel", "tel"], card: ["text", "numeric"], email: ["email", "email"], number: ["number", "decimal"], date: ["date", ""] };

/** A field of the form; its control knows its label, how it is checked, and what it gives. */
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

/** Another address to deliver to: name, address and telephone behind a box to tick. */
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

/** All the decimals of the currency, some of which browsers would leave out; none where all prices are whole. */
const DECIMALS = (page.items ?? []).every((item) => Number.isInteger(item.price ?? 0)) ? {}
  : { minimumFractionDigits: page.decimals, maximumFractionDigits: page.decimals };
const price = (amount) => new Intl.NumberFormat(lang, page.currency ? { style: "currency", currency: page.currency, ...DECIMALS } : {}).format(amount);

/** How much is chosen of an item; nothing where the control says otherwise than a whole number. */
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

/** The goods on offer, or free rows where the page has no list; gives what was chosen. */
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

const characters = (text) => Array.from(text).length;

/** A control's value as the order has it: what is checked is what is sent. */
function given(control, { type }) {
  const value = control.value.trim();
  if (type === "number") return value && String(control.valueAsNumber);
  if (!["telephone", "card", "email"].includes(type)) return value;
  const plain = value.normalize("NFKC");
  // Input methods make many hyphens, some of them the mark of long vowels.
  return type === "email" ? plain : plain.replace(/[\u2010-\u2015\u2212\u30fc]/g, "-");
}

/** What is wrong with a control's value, in words, or nothing. */
function complaint(control, { type, required, max = MAX_LENGTH }) {
  const { badInput, rangeUnderflow, rangeOverflow } = control.validity;
  if (badInput || rangeUnderflow || rangeOverflow) return say(type === "date" ? "bad_date" : "bad_number");
  const value = given(control, { type });
  if (!value) return required ? say(["choice", "date"].includes(type) ? "unchosen" : "missing") : "";
  if (characters(value) > max) return say("too_long", max);
  // More digits than a browser keeps of every number.
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

/** The order as the shop reads it. */
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

/** Checks all fields; explains what is wrong beside each, and together on top. */
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

function complain(words, ...more) {
  $("trouble").replaceChildren(make("p", { id: "trouble-title" }, words), ...more);
  $("trouble").hidden = false;
  $("trouble").focus();
  $("status").textContent = "";
}

function step(number) {
  for (const [index, item] of [...$("steps").children].entries()) {
    item.className = index < number ? "past" : "";
    if (index === number) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

// ---- From the order button to the end.

let sealed = null, busy = false, told = [];

/** Lets go of keys and entries: an order was sealed, or none can be placed any more. */
function letGo() {
  deliveredKeys.length = 0;
  keys = [];
  $("form")?.reset();
  $("form")?.remove();
}

/** Runs one action at a time, and explains what goes wrong in it. */
const guarded = (action) => async (event) => {
  event?.preventDefault();
  if (busy) return;
  busy = true;
  $("trouble").hidden = true;
  // Buttons that are disabled would lose the focus.
  for (const button of document.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  let failure = null;
  try {
    await action();
  } catch (error) {
    failure = error;
  }
  for (const button of document.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  busy = false;
  if (!failure) return;
  if (sealed) offer();
  else step(0);
  explain(failure);
};

function explain(error) {
  if (error.final) letGo();
  complain(error instanceof Trouble ? error.message : say(sealed ? "failed_late" : "failed", error.message));
  $(error.focus ?? "trouble").focus();
  if (error.focus === "line") $("line").select();
}

/** Takes the next key and seals the order in the form with it; nothing but the sealed order outlives this. */
async function sealNext(words) {
  const text = collect();
  const { id, key } = await spend(text.ordered);
  const kid = id ? `${page.shop}/${id}` : page.shop;
  try {
    return { kid, line: await seal(text, kid, key, words), ordered: text.ordered };
  } catch (error) {
    // The reader is told at once, and need not be later.
    await forget(text).catch(() => {});
    throw error;
  }
}

const placeOrder = guarded(async () => {
  if (!correct()) return;
  step(1);
  $("status").textContent = say("sealing");
  sealed = await sealNext($("typed")?.value.trim());
  $("status").focus();
  $("unfinished").hidden = true;
  letGo();
  await keep(sealed).catch(() => { $("unkept").hidden = false; });
  if (page.send_to && !page.guided) return send();
  offer();
  $("sealed").focus();
});

/** Shows the sealed order with the ways to send it. */
function offer() {
  $("line").value = sealed.line;
  $("status").textContent = "";
  step(2);
  $("sealed").hidden = false;
}

const when = (ordered) => new Date(ordered).toLocaleString(lang, { dateStyle: "long", timeStyle: "short" });

/** Shows an order of an earlier visit, which the reader may have sent in another way since. */
function offerEarlier() {
  $("sealed-title").textContent = say("earlier");
  $("next").textContent = say("earlier_next", when(sealed.ordered), sealed.kid, say("kept"));
  $("kept").hidden = false;
  offer();
  $("sealed").focus();
}

/** POSTs the line. Only an answer that says so counts as received. */
async function send() {
  $("status").textContent = say("sending");
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), SEND_TIMEOUT);
  const answer = await fetch(page.send_to, {
    method: "POST", body: `${sealed.line}\n`, headers: { "Content-Type": "text/plain" },
    credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error", signal: late.signal,
  }).catch(() => null);
  clearTimeout(timer);
  if (answer?.ok) return finish(say("sent"));
  throw new Trouble(say("not_sent", answer ? say("answer", answer.status) : say("no_answer")));
}

function download() {
  const name = `${sealed.kid.replace("/", "-")}-${sealed.ordered.replace(/\D/g, "").slice(0, 14)}.jwe`;
  const href = URL.createObjectURL(new Blob([`${sealed.line}\n`], { type: "application/octet-stream" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
  handOver(say("downloaded", name));
}

async function copy() {
  try {
    await navigator.clipboard.writeText(`${sealed.line}\n`);
  } catch {
    $("kept").hidden = false;
    throw new Trouble(say("not_copied"), { focus: "line" });
  }
  handOver(say("copied"));
}

/** The page cannot see whether a file or a copy exists: the reader says so before it erases. */
function handOver(how) {
  $("status").textContent = [how, say("check_kept", say("kept"))].join(" ");
  $("kept").hidden = false;
}

/** The last step: whatever can be erased is, and the reader is told how it went. */
async function finish(how) {
  const state = await forget(sealed).catch(() => null);
  const wasKept = $("unkept").hidden;
  $("sent").textContent = how;
  $("receipt").textContent = say("receipt", `${sealed.kid} · ${when(sealed.ordered)}`);
  sealed = null;
  $("sealed").remove();
  for (const script of document.querySelectorAll("script")) script.remove();
  step(4);
  $("status").textContent = "";
  $("erased").textContent = say(state || !wasKept ? "erased" : "not_erased");
  const more = Boolean(state?.unsent.length);
  $("again").textContent = say(more ? "next_unsent" : "again");
  $("again").hidden = !more && (state ? left(state) < 1 : needsMemory);
  $("done").hidden = false;
  $("done").focus();
}

/** Begins with an empty form: on a reload, browsers put back what was typed, card number and all. */
function startEmpty() {
  if (!$("form")) return;
  $("form").reset();
  $("elsewhere")?.onchange();
  showSummary();
}

async function start() {
  document.documentElement.lang = lang;
  document.title = own(page.title);
  document.querySelector("h1").textContent = own(page.title);
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  if (!globalThis.crypto?.subtle) throw new Trouble(say("no_crypto"));
  const shop = page.send_to && new URL(page.send_to).host;
  const algorithms = page.alg === "dir" ? page.enc : `${page.alg} + ${page.enc}`;
  $("order").textContent = say(page.guided || !shop ? "seal" : "order");
  $("how").textContent = shop ? say("how_send", algorithms, shop) : say("how_keep", algorithms);
  $("next").textContent = shop ? say("next_send", shop) : say("next_keep");
  $("send").hidden = !shop;
  (shop ? $("send") : $("download")).className = "main";
  $("steps").hidden = !page.guided;
  $("send").onclick = guarded(send);
  $("download").onclick = guarded(download);
  $("copy").onclick = guarded(copy);
  $("kept").onclick = guarded(() => finish(say("given")));
  addEventListener("beforeunload", (event) => { if (busy || sealed) event.preventDefault(); });

  const state = await recall();
  told = state.begun;
  $("unfinished").textContent = told.map((time) => say("unfinished", when(time))).join(" ");
  $("unfinished").hidden = told.length === 0;
  if (state.unsent.length) {
    // That comes first, and needs no key.
    letGo();
    [sealed] = state.unsent;
    return offerEarlier();
  }
  checkLeft(state);
  keys = await importKeys(new Set(state.spent));
  $("left").textContent = page.reusable ? "" : say("left", left(state));
  $("fields").append(...page.fields.map((rule) => (rule.type === "delivery" ? delivery(rule) : field(rule))));
  if (page.alg !== "dir") {
    // Plain text, because browsers offer to keep what is typed into a field for passwords.
    const input = make("input", { autocomplete: "off", label: say("words"), hint: "typed-hint" });
    input.check = () => {
      const length = characters(input.value.trim());
      return length > 0 && length < LEAST_WORDS ? say("too_short", LEAST_WORDS) : "";
    };
    const words = make("details", {}, make("summary", {}, say("typed")), labelled("typed", input, say("words"), ...optional()),
      make("p", { id: "typed-hint", className: "hint" }, say("typed_hint")));
    $("fields").append(words);
  }
  step(0);
  $("form").oninput = showSummary;
  // An order is placed by its button, not by the Enter key in a field.
  $("form").onkeydown = (event) => { if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); };
  $("form").onsubmit = placeOrder;
  $("form").hidden = false;
  startEmpty();
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) startEmpty();
    else if ($("form") && !busy && !sealed) location.reload();
  });
}

const chosen = goods();
start().catch((error) => explain(Object.assign(error, { final: true })));
