/**
 * Writes `src/generated/operators.ts`: the types of every `aten` operator, from the schemas of the installed libtorch.
 *
 * Run with `npm run generate -w packages/torch`. The run-time side (`src/operators.ts`) reads the same schemas from
 * whichever libtorch is loaded, so these types describe it and do not limit it.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NativeParameter, NativeSchema } from "../src/native/binding.ts";
import { binding } from "../src/native/load.ts";
import { camelCase } from "../src/operators.ts";

const target = fileURLToPath(new URL("../src/generated/operators.ts", import.meta.url));

/** Members that the class Tensor defines itself. */
const OWN_MEMBERS = new Set([
  "size",
  "item",
  "isContiguous",
  "requiresGrad",
  "requiresGrad_",
  "isLeaf",
  "backward",
]);

const INPUT_TYPES: Readonly<Record<string, string>> = {
  Tensor: "Tensor",
  Scalar: "Scalar",
  number: "Scalar",
  int: "number",
  SymInt: "number",
  float: "number",
  SymFloat: "number",
  bool: "boolean",
  str: "string",
  ScalarType: "DType",
  Device: "Device",
  Layout: "Layout",
  MemoryFormat: "MemoryFormat",
  Generator: "NativeHolder",
  QScheme: "number",
};

function inputType(type: string, listSize = 0): string {
  if (type.endsWith("?")) return `${inputType(type.slice(0, -1), listSize)} | null`;
  if (type.endsWith("[]")) {
    const element = inputType(type.slice(0, -2));
    const list = element.includes("|") ? `readonly (${element})[]` : `readonly ${element}[]`;
    return listSize > 0 ? `${list} | ${element}` : list;
  }
  return INPUT_TYPES[type] ?? "NativeObject";
}

function outputType(type: string): string {
  if (type.endsWith("?")) return `${outputType(type.slice(0, -1))} | null`;
  if (type.endsWith("[]")) return `${outputType(type.slice(0, -2))}[]`;
  if (type === "Scalar" || type === "number") return "number";
  return INPUT_TYPES[type] ?? "NativeObject";
}

function resultType(schema: NativeSchema): string {
  const types = schema.results.map((result) => outputType(result.type));
  if (types.length === 0) return "void";
  return types.length === 1 ? (types[0] as string) : `[${types.join(", ")}]`;
}

const RESERVED = new Set(["in", "function", "default", "var", "with", "this", "arguments", "eval"]);

function identifier(name: string): string {
  const camel = camelCase(name);
  return RESERVED.has(camel) ? `${camel}_` : camel;
}

function declaration(parameter: NativeParameter, isOptional: boolean): string {
  return `${identifier(parameter.name)}${isOptional ? "?" : ""}: ${inputType(parameter.type, parameter.listSize)}`;
}

/** Keys of an options object are matched by name, so they are never renamed. */
function option(parameter: NativeParameter): string {
  return `${camelCase(parameter.name)}${parameter.hasDefault ? "?" : ""}: ${inputType(parameter.type, parameter.listSize)}`;
}

function optionsParameter(parameters: readonly NativeParameter[]): string[] {
  if (parameters.length === 0) return [];
  const isOptional = parameters.every((parameter) => parameter.hasDefault);
  return [`options${isOptional ? "?" : ""}: { ${parameters.map(option).join("; ")} }`];
}

/** The ways of calling one schema: defaults given by position, or by name in the trailing object. */
function signatures(schema: NativeSchema, isMethod: boolean): string[] {
  const parameters = schema.parameters.slice(isMethod ? 1 : 0);
  const positional = parameters.filter((parameter) => !parameter.isKeywordOnly);
  const keywordOnly = parameters.filter((parameter) => parameter.isKeywordOnly);
  const firstDefault = positional.findIndex((parameter) => parameter.hasDefault);
  const required = firstDefault < 0 ? positional : positional.slice(0, firstDefault);
  const defaulted = firstDefault < 0 ? [] : positional.slice(firstDefault);
  const result = resultType(schema);
  const byPosition = [
    ...required.map((parameter) => declaration(parameter, false)),
    ...defaulted.map((parameter) =>
      declaration(
        parameter,
        keywordOnly.every((one) => one.hasDefault),
      ),
    ),
    ...optionsParameter(keywordOnly),
  ];
  const forms = [`(${byPosition.join(", ")}): ${result}`];
  if (defaulted.length > 0) {
    const byName = [
      ...required.map((parameter) => declaration(parameter, false)),
      ...optionsParameter([...defaulted, ...keywordOnly]),
    ];
    forms.push(`(${byName.join(", ")}): ${result}`);
  }
  return forms;
}

interface Entry {
  readonly key: string;
  readonly schema: NativeSchema;
}

function atenEntries(): Entry[] {
  const names = binding.operatorNames();
  const entries: Entry[] = [];
  for (let i = 0; i < names.length; i += 2) {
    const [name, overload] = [names[i] as string, names[i + 1] as string];
    if (!name.startsWith("aten::")) continue;
    const key = camelCase(name.slice("aten::".length)) + (/(^|_)out\d?$/.test(overload) ? "Out" : "");
    entries.push({ key, schema: binding.describeOperator(name, overload) });
  }
  return entries.sort((a, b) => order(a.key, b.key) || order(a.schema.schema, b.schema.schema));
}

/** By code unit: a locale's order would differ between machines. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isMethod(schema: NativeSchema): boolean {
  const first = schema.parameters[0];
  return first?.name === "self" && first.type === "Tensor";
}

function members(entries: readonly Entry[], asMethods: boolean): string {
  const lines: string[] = [];
  for (const { key, schema } of entries) {
    if (asMethods !== isMethod(schema) || (asMethods && OWN_MEMBERS.has(key))) continue;
    lines.push(`  /** \`${schema.schema}\` */`);
    for (const form of signatures(schema, asMethods)) lines.push(`  ${key}${form};`);
  }
  return lines.join("\n");
}

/** The text of the generated file for the libtorch that is loaded. */
export function generateOperators(): string {
  const entries = atenEntries();
  return `// Generated by scripts/generate-operators.ts from the schemas of libtorch ${binding.version()}. Do not edit.
import type { Device, DType, Layout, MemoryFormat } from "../dtype.ts";
import type { NativeObject } from "../native/binding.ts";
import type { NativeHolder } from "../operators.ts";

/** A number as an operator takes it: a whole number counts as an integer, as a Python literal without a point does. */
export type Scalar = number | boolean | bigint;

/** Operators whose first argument is the tensor itself; Tensor is a type parameter, so that this file imports no class. */
export interface TensorMethods<Tensor> {
${members(entries, true)}
}

/** Operators without a tensor \`self\` in front. */
export interface OperatorFunctions<Tensor> {
${members(entries, false)}
}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(target, generateOperators());
  process.stdout.write(`wrote ${target}\n`);
}
