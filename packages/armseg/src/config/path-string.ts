import * as z from "zod";

/** The strings of the schema that name a file or a folder. */
const PATHS = z.registry<{ readonly names: readonly string[] }>();

/** A string that names a file or a folder. @param names - Values that are no paths but names of something else. */
export function pathString(...names: readonly string[]): z.ZodString {
  return z.string().register(PATHS, { names });
}

/** The schema inside defaults, optionals and nullables. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  let inner: unknown = schema;
  while (
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap();
  }
  return inner as z.ZodType;
}

/**
 * Returns a value with every path in it replaced.
 *
 * @param schema - What the value was checked by.
 * @param map - From a path to another; `key` is where it stands, e.g. `data.train.list`.
 */
export function mapPathStrings(
  value: unknown,
  schema: z.ZodType,
  map: (path: string, key: string) => string,
  key = "",
): unknown {
  const inner = unwrapped(schema);
  const names = PATHS.get(inner)?.names;
  if (names && typeof value === "string") return names.includes(value) ? value : map(value, key);
  if (!(inner instanceof z.ZodObject) || value === null || value === undefined) return value;
  const shape = inner.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const below = shape[name] as z.ZodType;
      return [name, mapPathStrings(part, below, map, key === "" ? name : `${key}.${name}`)];
    }),
  );
}
