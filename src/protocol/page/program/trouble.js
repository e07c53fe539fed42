// What can go wrong: one of TEXTS says it to the user.

/** An error that a text explains. It may say what gets the focus, and that it is `final`: no order can be placed. */
class Trouble extends Error {
  constructor(text, facts) {
    super(text);
    Object.assign(this, { text, values: [] }, facts);
  }
}
