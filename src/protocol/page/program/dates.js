// Times as the user reads them, and the times of keys.

const when = (ordered) => new Date(ordered).toLocaleString(lang, { dateStyle: "long", timeStyle: "short" });

/** Keys may have dates: from when and until when they seal. */
function checkDates({ not_before: from, expires: to }, final = true) {
  const now = Date.now();
  if (to && now >= Date.parse(to)) throw new Trouble("expired", { values: [when(to)], final });
  if (from && now < Date.parse(from)) throw new Trouble("early", { values: [when(from)], final });
}
