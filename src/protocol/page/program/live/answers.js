// What the answers of services and shops say that are not what was asked for.

/** What a text says as JSON, or an empty object. */
function said(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The code of a problem (RFC 9457), or nothing. */
const codeOf = (text) => {
  const { code } = said(text);
  return typeof code === "string" && /^[a-z-]{1,40}$/.test(code) ? code : "";
};

/** The text that explains an answer: that of its code, if there is one. */
function textFor(usual, text) {
  const name = `${usual}:${codeOf(text)}`;
  return Object.hasOwn(TEXTS.en, name) ? name : usual;
}

/** What the user is told of an answer. */
const toldOf = ({ status }, text) => ["answer", `${status} ${codeOf(text)}`.trim()];

/** When the user is asked to try again. */
function patience(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return seconds >= 1 && seconds <= 86400 ? ["in_seconds", Math.ceil(seconds)] : ["later"];
}

/** Adds a path to a base address. */
const below = (base, path) => (base.endsWith("/") ? base + path : `${base}/${path}`);
