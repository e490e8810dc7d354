import { noGrad } from "../autograd.ts";
import type { Device, DType, MemoryFormat } from "../dtype.ts";
import { keep, tidy } from "../scope.ts";
import { Parameter, Tensor } from "../tensor.ts";
import type { LoadReport } from "./load-state.ts";
import { loadState } from "./load-state.ts";

/** Where and how the tensors of a module lie. What is not named stays as it is. */
export interface Placement {
  readonly device?: Device;
  /** For tensors of floating point only; counters keep theirs. */
  readonly dtype?: DType;
  /** For tensors of four dimensions only: `channels_last` often makes convolutions faster. */
  readonly memoryFormat?: MemoryFormat;
}

/** A module of whatever arguments and result, for code that only looks at its parameters. */
export type AnyModule = Module<never, unknown>;

/**
 * A list of modules, as a field of a module: PyTorch's ModuleList is a plain array here, since arrays of modules are
 * found like modules are. Their names are their indices: `blocks.0.conv1.weight`.
 */
export type ModuleList<M extends AnyModule = Module> = readonly M[];

/** Renames `runningMean` to `running_mean`: PyTorch's names, which state dicts are keyed by. */
function snakeCase(field: string): string {
  return field.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function* flat(members: Iterable<[string, unknown]>): Iterable<[string, unknown]> {
  for (const [name, member] of members) {
    if (!Array.isArray(member)) yield [name, member];
    else for (const [i, element] of member.entries()) yield* flat([[`${name}.${i}`, element]]);
  }
}

/**
 * A part of a network: parameters, buffers, other modules, and a function of tensors.
 *
 * Everything is found from the public fields, in the order of their declaration: a {@link Parameter} is trained, any
 * other tensor is a buffer (made by {@link buffer}), modules are children, and arrays of all these
 * count too. Fields that are not
 * state are `#private`. Names are PyTorch's: a field `runningMean` is called `running_mean` in a state dict.
 *
 * Authors write {@link forward}, callers use {@link call}.
 *
 * @example
 * class Block extends Module {
 *   readonly conv1 = new Conv2d(64, 64, 3, { padding: 1, bias: false });
 *   readonly bn1 = new BatchNorm2d(64);
 *
 *   forward(x: Tensor): Tensor {
 *     return x.add(this.bn1.call(this.conv1.call(x)).relu());
 *   }
 * }
 */
export abstract class Module<Args extends readonly unknown[] = [input: Tensor], Result = Tensor> {
  #isTraining = true;
  #isFrozen = false;

  /** What the module computes. To be called through {@link call}, which frees what it leaves behind. */
  abstract forward(...args: Args): Result;

  /** Applies the module, and frees every tensor that it makes on the way and does not return. */
  call(...args: Args): Result {
    return tidy(() => this.forward(...args));
  }

  /** Whether the module behaves as in training: normalisation by the batch, dropout. */
  get isTraining(): boolean {
    return this.#isTraining && !this.#isFrozen;
  }

  /** Whether {@link freeze} was called on this module or on one that holds it. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /**
   * Keeps this module and all inside it as they are, for good: evaluation mode whatever {@link train} says, and no gradients for
   * their parameters. Where the input needs none either, no graph is recorded and the backward pass ends here.
   */
  freeze(): this {
    for (const module of this.modules()) module.#isFrozen = true;
    return this.requiresGrad_(false);
  }

  /** Puts this module and all inside it into training mode, or with `false` into evaluation mode. */
  train(isTraining = true): this {
    for (const module of this.modules()) module.#isTraining = isTraining;
    return this;
  }

  /** Puts this module and all inside it into evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** The fields that make up this module's state, under their names: parameters, buffers, modules, arrays of modules. */
  protected *members(): Iterable<[name: string, member: unknown]> {
    for (const [field, value] of Object.entries(this)) yield [snakeCase(field), value];
  }

  /** This module's own parameters and buffers. */
  *#ownTensors(): Iterable<[name: string, tensor: Tensor]> {
    for (const [name, member] of flat(this.members())) if (member instanceof Tensor) yield [name, member];
  }

  /** The modules directly inside this one. */
  *namedChildren(): Iterable<[name: string, module: AnyModule]> {
    for (const [name, member] of flat(this.members())) if (member instanceof Module) yield [name, member];
  }

  /** This module (named `prefix`, `""` unless given) and all inside it, each before its children, each once. */
  *namedModules(prefix = "", seen = new Set<AnyModule>()): Iterable<[name: string, module: AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  *modules(): Iterable<AnyModule> {
    for (const [, module] of this.namedModules()) yield module;
  }

  *#namedTensors(prefix = ""): Iterable<[name: string, tensor: Tensor]> {
    const seen = new Set<Tensor>();
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, tensor] of module.#ownTensors()) {
        if (seen.has(tensor)) continue;
        seen.add(tensor);
        yield [join(path, name), tensor];
      }
    }
  }

  /**
   * What is trained, under PyTorch's names (`layer1.0.conv1.weight`), after `prefix` and a point where one is given; a
   * shared parameter comes once.
   */
  *namedParameters(prefix = ""): Iterable<[name: string, parameter: Parameter]> {
    for (const [name, tensor] of this.#namedTensors(prefix))
      if (tensor instanceof Parameter) yield [name, tensor];
  }

  *parameters(): Iterable<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Tensors that belong to the state without being trained, such as running means. */
  *namedBuffers(prefix = ""): Iterable<[name: string, buffer: Tensor]> {
    for (const [name, tensor] of this.#namedTensors(prefix))
      if (!(tensor instanceof Parameter)) yield [name, tensor];
  }

  /** Moves or converts all parameters and buffers in place; see {@link Placement}. Optimizers keep working. */
  to(placement: Placement): this {
    for (const [, tensor] of this.#namedTensors()) place(tensor, placement);
    return this;
  }

  /** Switches gradients on or off for all parameters. */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /**
   * All parameters and buffers under PyTorch's names and in its order. The tensors are the module's own, not copies;
   * a shared tensor stands under each of its names.
   */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    this.#collectState("", state);
    return state;
  }

  #collectState(prefix: string, into: Map<string, Tensor>): void {
    const own = [...this.#ownTensors()];
    for (const [name, tensor] of own) if (tensor instanceof Parameter) into.set(join(prefix, name), tensor);
    for (const [name, tensor] of own)
      if (!(tensor instanceof Parameter)) into.set(join(prefix, name), tensor);
    for (const [name, child] of this.namedChildren()) child.#collectState(join(prefix, name), into);
  }

  /**
   * Copies a state dict into the parameters and buffers, in place; dtypes and devices are converted. Nothing is
   * written unless everything fits.
   *
   * @param options.strict - Whether a missing or an unexpected name is an error. Default true.
   * @returns The names that are missing in `state`, and those that the module does not have.
   * @throws {Error} If names (when strict) or shapes differ; the message lists them all.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: { strict?: boolean } = {}): LoadReport {
    return loadState(this.stateDict(), state, options.strict ?? true);
  }

  /** Frees all parameters and buffers. The module is of no use afterwards. */
  dispose(): void {
    for (const [, tensor] of this.#namedTensors()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** A tensor that a Module owns and does not train: it belongs to no scope. Returns `value` itself. */
export function buffer(value: Tensor): Tensor {
  return keep(value);
}

function placed(tensor: Tensor, { device, dtype, memoryFormat }: Placement): Tensor {
  return tensor.to({
    ...(device !== undefined && { device }),
    ...(dtype !== undefined && tensor.isFloatingPoint() && { dtype }),
    ...(memoryFormat !== undefined && tensor.ndim === 4 && { memoryFormat }),
  });
}

/** Gives a tensor another device, dtype or memory format in place, its gradient too. */
function place(tensor: Tensor, placement: Placement): void {
  noGrad(() => {
    const { grad } = tensor;
    tensor.grad = null;
    tensor.setData(placed(tensor, placement));
    if (grad !== null) tensor.grad = placed(grad, placement);
  });
}
