// Requests: nothing but what is sent goes with them, and nothing is kept of them.

const ANSWER_TIMEOUT = 60000; // milliseconds

/** POSTs, and gives the answer and its text; neither if there is no answer that the page may read. */
async function post(url, type, body, headers = {}) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_TIMEOUT);
  const answer = await fetch(url, {
    method: "POST", body, headers: { "Content-Type": type, ...headers },
    credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error", signal: late.signal,
  }).catch(() => null);
  const text = await answer?.text().catch(() => "");
  clearTimeout(timer);
  return { answer, text };
}
