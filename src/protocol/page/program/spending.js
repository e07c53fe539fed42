// What a page with its keys in it remembers besides: ids that are spent, before their keys are used, and when orders
// were begun.

class Spending extends Memory {
  nothing = { spent: [], count: 0, erased: false, begun: [], unsent: [] };

  constructor({ shop, id, orders, reusable, budget, erase }) {
    super(shop, id);
    Object.assign(this, { orders, reusable, budget, erase });
    // A reusable key that only wraps fresh keys can do without.
    this.needed = !reusable || budget !== undefined || erase;
  }

  isState(state) {
    const { spent, count, erased, begun } = state;
    return Array.isArray(spent) && spent.every(isText) && Number.isSafeInteger(count) && count >= spent.length &&
      typeof erased === "boolean" && begun.every(isText) && super.isState(state);
  }

  checked(stored) {
    const state = super.checked(stored);
    if (state === this.nothing && stored !== undefined) throw new Trouble("memory_damaged");
    return state;
  }

  /** Makes a change, or says why the browser does not remember it. */
  async remember(change) {
    try {
      return await super.remember(change);
    } catch (error) {
      if (error instanceof Trouble) throw error;
      throw new Trouble(error?.name === "QuotaExceededError" ? "memory_full" : "no_memory");
    }
  }

  /** Makes a change, remembered only if an order needs it. */
  rememberIfNeeded(change) {
    return this.remember(change).catch((error) => {
      if (this.needed) throw error;
      return change(this.nothing)[1];
    });
  }

  recall() {
    return this.rememberIfNeeded((state) => [state, state]);
  }

  /** The state without an order, sealed or only begun. */
  without(state, order) {
    return { ...super.without(state, order), begun: state.begun.filter((time) => time !== order.ordered) };
  }

  /** Orders that can still be placed. */
  left({ spent, count, erased }) {
    return erased ? 0
      : Math.min(this.erase ? 1 : Infinity, this.reusable ? (this.budget ?? Infinity) - count : this.orders - spent.length);
  }

  /** Fails if no order is left. */
  checkLeft(state) {
    if (state.erased) throw new Trouble("gone", { final: true });
    if (this.left(state) < 1) throw new Trouble("used_up", { final: true });
  }

  /** Takes the next key for good, for an order begun at `ordered`; forgets the begun orders that the user knows of. */
  spend(keys, ordered, known) {
    return this.rememberIfNeeded((state) => {
      this.checkLeft(state);
      const next = keys.find(({ id }) => !state.spent.includes(id));
      if (!next) throw new Trouble("used_up", { final: true });
      const spent = this.reusable ? state.spent : [...state.spent, next.id];
      const begun = [...state.begun.filter((time) => !known.includes(time)), ordered];
      return [{ ...state, spent, count: state.count + 1, erased: this.erase, begun }, next];
    });
  }
}
