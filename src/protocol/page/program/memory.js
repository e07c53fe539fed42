// What the browser remembers: ids that are spent, before their keys are used; when orders were begun; and
// sealed orders until the shop has them. Never a key.

const MEMORY_TIMEOUT = 10000; // milliseconds

const nothingYet = { spent: [], count: 0, erased: false, begun: [], unsent: [] };

const isText = (value) => typeof value === "string";
const isState = ({ spent, count, erased, begun, unsent }) =>
  Array.isArray(spent) && spent.every(isText) && Number.isSafeInteger(count) && count >= spent.length &&
  typeof erased === "boolean" && begun.every(isText) &&
  unsent.every(({ kid, line, ordered }) => [kid, line, ordered].every(isText));

/** The state in the database, or the first one. */
function checked(state = nothingYet) {
  try {
    if (isState(state)) return state;
  } catch { /* a member is missing */ }
  throw new Trouble("memory_damaged");
}

/** Opens a database, unless `late` is aborted first. */
const openMemory = (name, late) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  late.onabort = reject;
  request.onupgradeneeded = () => request.result.createObjectStore("state");
  request.onsuccess = () => (late.aborted ? request.result.close() : resolve(request.result));
  request.onerror = () => reject(request.error);
});

/**
 * Makes a change, a function from the state to the next state and a result, in one transaction. Other tabs wait for
 * its end; by then it is on the disk, where the browser obeys the hint.
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
    } catch { /* it will complete */ }
  };
  const reading = store.get(database.name);
  reading.onsuccess = () => {
    try {
      const [next, found] = change(checked(reading.result));
      result = found;
      store.put(next, database.name);
    } catch (error) {
      failure = error;
      transaction.abort();
    }
  };
});

/** The state without an order, sealed or only begun. */
const without = (state, { line, ordered }) => ({
  ...state, begun: state.begun.filter((time) => time !== ordered), unsent: state.unsent.filter((order) => order.line !== line),
});

/** The memory of one page. */
class Memory {
  constructor({ shop, id, orders, reusable, budget, erase }) {
    Object.assign(this, { name: `orderseal:${shop}:${id}`, orders, reusable, budget, erase });
    // A reusable key that only wraps fresh keys can do without.
    this.needed = !reusable || budget !== undefined || erase;
  }

  /** Makes a change, or says why the browser does not remember it. Some never answer. */
  async remember(change) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), MEMORY_TIMEOUT);
    let database = null;
    try {
      database = await openMemory(this.name, late.signal);
      return await transact(database, change, late.signal);
    } catch (error) {
      if (error instanceof Trouble) throw error;
      throw new Trouble(error?.name === "QuotaExceededError" ? "memory_full" : "no_memory");
    } finally {
      clearTimeout(timer);
      database?.close();
    }
  }

  /** Makes a change, remembered only if an order needs it. */
  rememberIfNeeded(change) {
    return this.remember(change).catch((error) => {
      if (this.needed) throw error;
      return change(nothingYet)[1];
    });
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

  /** The state, written back to find out whether this browser can. */
  recall() {
    return this.rememberIfNeeded((state) => [state, state]);
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

  /** Keeps a sealed order in case the page is closed before the shop has it. */
  keep(order) {
    return this.remember((state) => [{ ...without(state, order), unsent: [...state.unsent, order] }]);
  }

  /** Forgets an order, and gives the state. */
  forget(order) {
    return this.remember((state) => {
      const next = without(state, order);
      return [next, next];
    });
  }
}
