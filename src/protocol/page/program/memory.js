// What the browser remembers: sealed orders until the shop has them. Never a key.

const MEMORY_TIMEOUT = 10000; // milliseconds

const isText = (value) => typeof value === "string";

/** Opens a database, unless `late` is aborted first. */
const openMemory = (name, late) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  late.onabort = reject;
  request.onupgradeneeded = () => request.result.createObjectStore("state");
  request.onsuccess = () => (late.aborted ? request.result.close() : resolve(request.result));
  request.onerror = () => reject(request.error);
});

/**
 * Makes a change, a function from what is stored to what is then stored and a result, in one transaction. Other tabs
 * wait for its end; by then it is on the disk, where the browser obeys the hint.
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
      const [next, found] = change(reading.result);
      result = found;
      store.put(next, database.name);
    } catch (error) {
      failure = error;
      transaction.abort();
    }
  };
});

/** The memory of one page. */
class Memory {
  /** The first state. */
  nothing = { unsent: [] };

  constructor(shop, id) {
    this.name = `orderseal:${shop}:${id}`;
  }

  isState({ unsent }) {
    return unsent.every(({ kid, line, ordered, ticket = "" }) => [kid, line, ordered, ticket].every(isText));
  }

  /** What is stored, if it is a state, or the first state: no key depends on one that is damaged. */
  checked(state = this.nothing) {
    try {
      if (this.isState(state)) return state;
    } catch { /* a member is missing */ }
    return this.nothing;
  }

  /** Makes a change of the state. Some browsers never answer: then it fails, too. */
  async remember(change) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), MEMORY_TIMEOUT);
    let database = null;
    try {
      database = await openMemory(this.name, late.signal);
      return await transact(database, (stored) => change(this.checked(stored)), late.signal);
    } finally {
      clearTimeout(timer);
      database?.close();
    }
  }

  /** The state, written back to find out whether this browser can; the first one where it cannot. */
  recall() {
    return this.remember((state) => [state, state]).catch(() => this.nothing);
  }

  /** The state without an order. */
  without(state, { line }) {
    return { ...state, unsent: state.unsent.filter((order) => order.line !== line) };
  }

  /** Keeps a sealed order in case the page is closed before the shop has it. */
  keep(order) {
    return this.remember((state) => {
      const others = this.without(state, order);
      return [{ ...others, unsent: [...others.unsent, order] }];
    });
  }

  /** Forgets an order, and gives the state. */
  forget(order) {
    return this.remember((state) => {
      const next = this.without(state, order);
      return [next, next];
    });
  }
}
