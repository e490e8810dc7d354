import type { MakeError } from "../file-errors.ts";
import { NumpyDType, numpyScalar } from "./numpy.ts";
import { brief, Callable, kindOf, Marker } from "./values.ts";

/** Classes that a `defaultdict` may name as its factory; they are never called. */
const FACTORIES = ["list", "dict", "int", "float", "str", "tuple", "bool"];

/** Python 2's name of the module, which protocol 2 keeps, and Python 3's. */
const BUILTINS = ["builtins", "__builtin__"];

/** Defines the containers and scalars of Python and numpy that checkpoints use. */
export function containerGlobals(error: MakeError): Map<string, unknown> {
  const globals = new Map<string, unknown>();
  const define = (name: string, apply: (args: readonly unknown[]) => unknown) =>
    globals.set(name, new Callable(name, apply));
  for (const module of BUILTINS) {
    for (const name of FACTORIES) globals.set(`${module}.${name}`, new Marker(name));
    define(`${module}.set`, ([values]) => new Set(listOf(values, error)));
    define(`${module}.frozenset`, ([values]) => new Set(listOf(values, error)));
    define(`${module}.bytearray`, ([bytes]) => bytesOf(bytes, error));
    define(`${module}.bytes`, ([bytes]) => bytesOf(bytes, error));
  }
  define("collections.OrderedDict", ([pairs]) => dictOf(pairs, error));
  define("collections.Counter", ([counts]) => dictOf(counts, error));
  define("collections.defaultdict", (args) => defaultDict(args, error));
  define("_codecs.encode", ([text, encoding]) => encodeLatin1(text, encoding, error));
  define("numpy.dtype", ([code]) => new NumpyDType(code, error));
  for (const core of ["numpy.core.multiarray", "numpy._core.multiarray"]) {
    define(`${core}.scalar`, ([dtype, bytes]) => numpyScalar(dtype, bytes, error));
  }
  return globals;
}

function listOf(values: unknown, error: MakeError): unknown[] {
  if (values === undefined) return [];
  if (!Array.isArray(values)) throw error(`expected a list to make a set of, got ${kindOf(values)}`);
  return values;
}

function bytesOf(bytes: unknown, error: MakeError): Uint8Array {
  if (bytes === undefined) return new Uint8Array(0);
  if (bytes instanceof Uint8Array) return bytes;
  return encodeLatin1(bytes, "latin-1", error);
}

/** Makes a dict, which is passed as itself, an older `OrderedDict` as a list of pairs. */
function dictOf(content: unknown, error: MakeError): Map<unknown, unknown> {
  if (content === undefined) return new Map();
  if (content instanceof Map) return content;
  const isPairs = Array.isArray(content) && content.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!isPairs) throw error(`expected the pairs of a dict, got ${kindOf(content)}`);
  return new Map(content);
}

function defaultDict([factory]: readonly unknown[], error: MakeError): Map<unknown, unknown> {
  const known = factory instanceof Marker || factory instanceof Callable || (factory ?? null) === null;
  if (!known) throw error(`expected a defaultdict of a plain class, got ${kindOf(factory)}`);
  return new Map();
}

/** Makes bytes of text. Protocol 2 has no bytes: Python 3 writes them as text to be encoded. */
function encodeLatin1(text: unknown, encoding: unknown, error: MakeError): Uint8Array {
  const isLatin1 = encoding === "latin1" || encoding === "latin-1";
  if (typeof text !== "string" || !isLatin1 || /[^\0-\xff]/.test(text)) {
    throw error(`expected latin-1 text for bytes, got ${kindOf(text)} in ${brief(encoding)}`);
  }
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
