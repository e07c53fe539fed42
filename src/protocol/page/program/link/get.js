// A link to a shop's order page: nothing is handed out before the button is pressed.

const WORDS = {
  en: {
    lead: "You get a page with a key for one order. It encrypts the order in this browser.", get: "Get the order page", asking: "Asking for the page …",
    failed: "The page could not be had ({0}). Please try again later, and tell the shop if it goes on.",
  },
  ja: {
    lead: "1 回のご注文に使う鍵が入ったページを受け取ります。ご注文はこのブラウザーの中で暗号化されます。", get: "注文ページを開く", asking: "ページを要求しています…",
    failed: "ページを受け取れませんでした（{0}）。後でもう一度お試しください。繰り返す場合は店舗にお知らせください。",
  },
};

const { shop } = JSON.parse(document.getElementById("delivered").textContent);
const words = WORDS[navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? "en"];
const [button, told] = ["get", "status"].map((id) => document.getElementById(id));

/** Asks for the page, which then takes the place of this one. */
async function get() {
  const page = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(location.origin + location.pathname)));
  const asked = { version: 1, role: "request", for: "program", shop, page: base64url(page), orders: 1, number: base64url(random(16)) };
  const { answer, text } = await post("../v1/programs", "application/json", JSON.stringify({ orderseal: asked }), { Accept: "text/html" });
  const [, code = ""] = /"code":"([a-z-]+)"/.exec(text) ?? [];
  if (answer?.status !== 200) throw new Error(answer ? `${answer.status} ${code}`.trim() : "–");
  document.open();
  document.write(text);
  document.close();
}

document.getElementById("lead").textContent = words.lead;
button.textContent = words.get;
button.hidden = false;
button.onclick = async () => {
  button.disabled = true;
  told.textContent = words.asking;
  told.focus();
  await get().catch(({ message }) => {
    told.textContent = words.failed.replace("{0}", message);
    button.disabled = false;
  });
};
