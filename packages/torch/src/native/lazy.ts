/**
 * Returns an object whose properties are those of what `load` returns, which is called when the first one is read. Before that it
 * has none to list.
 *
 * They are then its own, so that later reads cost what those of any object do: only a name that it lacks reaches the proxy
 * behind it. If `load` throws, the next read tries again.
 */
export function lazyObject<T extends object>(load: () => T): T {
  let loaded: T | undefined;
  const object = Object.create(
    new Proxy(Object.create(null), {
      get(_, name) {
        if (typeof name === "symbol") return undefined; // asked by those who print it
        if (loaded === undefined) {
          loaded = load();
          Object.assign(object, loaded);
        }
        return loaded[name as keyof T];
      },
    }),
  ) as T;
  return object;
}
