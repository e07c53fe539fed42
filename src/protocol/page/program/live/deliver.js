// The sealed order on its way to the shop: with its ticket, and the same bytes each time.

/** Whether another try may have another answer: there was no answer, or the shop's server could not take the order just now. */
const isOpen = (status) => status < 400 || status >= 500 || [408, 425, 429].includes(status);

/** POSTs the line; fails unless the shop keeps it now, and says if it is `refused` for good. */
async function deliver(url, { line, ticket }) {
  const { answer, text } = await post(url, "text/plain", `${line}\n`, ticket ? { Authorization: `Bearer ${ticket}` } : {});
  if (answer?.status === 201) return;
  if (!answer) throw new Trouble("not_sent", { values: [["no_answer"]] });
  if (answer.status === 429) throw new Trouble("not_yet", { values: [patience(answer)] });
  const values = [toldOf(answer, text)];
  if (isOpen(answer.status)) throw new Trouble("not_sent", { values });
  throw new Trouble(textFor("refused", text), { values, refused: true });
}
