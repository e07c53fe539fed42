// The words of a form that a shop already has. The shop may give others: `data-text-sent` and so on.

const TEXTS = {
  en: {
    ready: "",
    working: "Encrypting and sending …",
    sent: "Thank you! The shop has received your order ({0}).",
    sealed: "Your order is encrypted ({0}) and can be sent.",
    unsent: "The shop has not confirmed your order of {1} ({0}). Please send it again: it is the same order.",
    failed: "No order was placed ({0}). Your entries are still here.",
    erased: "It was erased here. If it was sent, the shop may have it.",
    off: "This form takes no orders ({0}). Please tell the shop.",
    send: "Send", erase: "Erase",
  },
};
