import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
} from "./generated/onnx_pb.ts";
import { floatInitializer, type Initializer, integerInitializer } from "./initializer.ts";
import { type Value, VaryingInteger } from "./symbolic-trace.ts";

/** A number is an integer unless it is wrapped: `{ float: 1e-5 }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

function attribute(name: string, value: Attribute): AttributeProto {
  return create(AttributeProtoSchema, { name, ...attributeValue(value) });
}

function attributeValue(value: Attribute): Omit<MessageInitShape<typeof AttributeProtoSchema>, "$typeName"> {
  if (typeof value === "number") return { type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === "string") return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { type: AttributeType.FLOAT, f: value.float };
  return { type: AttributeType.INTS, ints: value.map(BigInt) };
}

/** Collects the nodes and constants of an ONNX graph, and knows which of them stands for which value of a recording. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: Initializer[] = [];
  readonly #names = new Map<Value, string>();
  readonly #shapes = new Map<string, string>();
  readonly #shared = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** Returns a name that no other value has, e.g. `Conv_12`. */
  unique(stem: string): string {
    const count = this.#counts.get(stem) ?? 0;
    this.#counts.set(stem, count + 1);
    return `${stem}_${count}`;
  }

  /** Adds a node with one output, and returns the output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.unique(opType),
  ): string {
    this.nodeWithOutputs(opType, inputs, attributes, [output]);
    return output;
  }

  /** Adds a node with several outputs, and returns their names. */
  nodeWithOutputs(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly string[],
  ): readonly string[] {
    this.nodes.push(
      create(NodeProtoSchema, {
        opType,
        name: `${opType}/${outputs[0]}`,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return outputs;
  }

  /** Adds a constant, and returns its name. */
  initializer(initializer: Initializer): string {
    this.initializers.push(initializer);
    return initializer.name;
  }

  /** Returns the name of constant whole numbers; equal ones are one. */
  integers(values: readonly number[], dims?: number[]): string {
    const key = `${values.join()}:${(dims ?? [values.length]).join()}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.initializer(integerInitializer(this.unique("integers"), values, dims));
    this.#shared.set(key, name);
    return name;
  }

  floats(values: readonly number[], dims: readonly number[] = []): string {
    return this.initializer(floatInitializer(this.unique("floats"), values, dims));
  }

  /** Says under which name a value is found in the graph. */
  define(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** Returns the name of a value that the graph holds. @throws {Error} If it does not. */
  nameOf(value: Value): string {
    const name = this.#names.get(value);
    if (name !== undefined) return name;
    throw new Error(
      `exportOnnx(): expected a tensor that the image, a parameter or an operator gives, got one of shape [${value.shapes[0].join(", ")}] ` +
        "that came from elsewhere; make it a parameter or a buffer of its module",
    );
  }

  has(value: Value): boolean {
    return this.#names.has(value);
  }

  /** Returns the size of one dimension of a value, int64 `[1]`, as the graph finds it. */
  sizeOf(value: Value, axis: number): string {
    const name = this.nameOf(value);
    const key = `${name}:${axis}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const shape = this.#shapes.get(name) ?? this.node("Shape", [name]);
    this.#shapes.set(name, shape);
    const size = this.node("Gather", [shape, this.integers([axis])], { axis: 0 });
    this.#shapes.set(key, size);
    return size;
  }

  /** Returns a number of a recording as int64 `[1]`: a constant, or where it follows the image the size of a value that does. */
  integer(number: number | VaryingInteger): string {
    if (!(number instanceof VaryingInteger)) return this.integers([number]);
    const found = this.#findSize(number);
    if (found) return this.sizeOf(found.value, found.axis);
    throw new Error(
      `exportOnnx(): expected a size that follows the image to be that of a tensor, got ${number.pair.join(" and ")}, ` +
        "which no tensor in front of it has",
    );
  }

  /** The newest value has the likeliest one. */
  #findSize({ pair }: VaryingInteger): { value: Value; axis: number } | undefined {
    for (const value of [...this.#names.keys()].reverse()) {
      const [first, second] = value.shapes;
      const axis = first.findIndex((size, i) => size === pair[0] && second[i] === pair[1]);
      if (axis >= 0) return { value, axis };
    }
    return undefined;
  }

  /** Returns a list of numbers as int64 `[n]`. */
  integerList(numbers: readonly (number | VaryingInteger)[]): string {
    if (numbers.every((number) => typeof number === "number")) return this.integers(numbers);
    return this.node(
      "Concat",
      numbers.map((number) => this.integer(number)),
      { axis: 0 },
    );
  }
}

/** Returns the sizes of a value, those that follow the image as {@link VaryingInteger}s. */
export function symbolicShape({ shapes: [first, second] }: Value): (number | VaryingInteger)[] {
  return first.map((size, i) =>
    size === second[i] ? size : new VaryingInteger([size, second[i] as number]),
  );
}
