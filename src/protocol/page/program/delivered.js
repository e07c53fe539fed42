// Keys that were delivered in a list.

/** Empties a list of keys [id, parts…], and imports those that are not spent. */
const importKeys = (suite, delivered, spent) =>
  Promise.all(delivered.splice(0).filter(([id]) => !spent.has(id)).map(async ([id, ...parts]) => ({ id, key: await importKey(suite, ...parts) })));
