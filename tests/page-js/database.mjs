// A small IndexedDB (Indexed Database API 3.0) for tests of memory.js: databases outlive those who open them,
// and transactions take turns. `faults` make it behave like browsers that do not remember: `opening` and `running`
// are promises that databases and transactions wait for.

export function makeDatabases() {
  /** The values of each database by its name, its stores being one. */
  const stored = new Map();
  const faults = { refusesToOpen: false, isFull: () => false, opening: null, running: null };
  const log = { transactions: [], open: 0 };
  let turn = Promise.resolve();
  const soon = () => new Promise(setImmediate);

  function transaction(values, mode, { durability }) {
    log.transactions.push(`${mode} ${durability}`);
    const requests = [], changes = new Map();
    let state = "active";
    const made = {
      error: null,
      objectStore: () => ({
        get(key) {
          const request = {};
          requests.push(() => {
            request.result = structuredClone(values.get(key));
            request.onsuccess();
          });
          return request;
        },
        put(value, key) {
          const copy = structuredClone(value);
          requests.push(() => changes.set(key, copy));
        },
      }),
      abort() {
        if (state !== "active") throw new DOMException("it has ended", "InvalidStateError");
        state = "aborted";
        soon().then(() => made.onabort());
      },
    };
    const run = async () => {
      while (requests.length && state === "active") {
        await soon();
        if (state === "active") requests.shift()();
      }
      if (state === "aborted") return;
      state = "ended";
      if ([...changes.values()].some(faults.isFull)) {
        made.error = new DOMException("no room", "QuotaExceededError");
        return made.onabort();
      }
      for (const [key, value] of changes) values.set(key, value);
      made.oncomplete();
    };
    turn = turn.then(() => faults.running).then(run);
    return made;
  }

  function open(name) {
    const request = {};
    soon().then(() => faults.opening).then(() => {
      if (faults.refusesToOpen) {
        request.error = new DOMException("no", "UnknownError");
        return request.onerror();
      }
      const isNew = !stored.has(name);
      if (isNew) stored.set(name, new Map());
      log.open += 1;
      request.result = {
        name,
        createObjectStore() {},
        transaction: (_, mode, options) => transaction(stored.get(name), mode, options),
        close() { log.open -= 1; },
      };
      if (isNew) request.onupgradeneeded();
      return request.onsuccess();
    });
    return request;
  }

  return { indexedDB: { open }, stored, faults, log };
}
