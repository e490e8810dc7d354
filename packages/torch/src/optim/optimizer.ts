import { argumentError } from "../argument-error.ts";
import { noGrad } from "../autograd.ts";
import type { AnyModule } from "../nn/module.ts";
import { Module } from "../nn/module.ts";
import { keep } from "../scope.ts";
import type { Parameter, Tensor } from "../tensor.ts";

/** Parameters under their names; a module stands for its own. */
export type ParameterSource = AnyModule | Iterable<readonly [name: string, parameter: Parameter]>;

/** Parameters with settings of their own; those left out are the optimizer's. */
export type GroupOptions<Settings> = Partial<Settings> & { readonly parameters: ParameterSource };

/** Parameters that are updated with the same settings. The settings may be changed between steps. */
export type ParameterGroup<Settings> = Settings & { readonly parameters: ReadonlyMap<string, Parameter> };

/** What an optimizer remembers, flat: tensors by `parameter name.slot`, numbers by name. */
export interface OptimizerState {
  /** E.g. `conv1.weight.momentum_buffer`. The tensors are the optimizer's own, not copies. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** E.g. `groups.0.learningRate`, `steps.conv1.weight`. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** One parameter in one step. */
export interface Update {
  readonly name: string;
  readonly parameter: Parameter;
  readonly gradient: Tensor;
}

function named(source: ParameterSource): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  for (const [name, parameter] of source instanceof Module ? source.namedParameters() : source) {
    if (parameters.has(name)) throw repeated(name);
    parameters.set(name, parameter);
  }
  return parameters;
}

function repeated(name: string): Error {
  return new Error(
    `Optimizer(): expected names that differ, got "${name}" twice; pass module.namedParameters("prefix") to tell modules apart`,
  );
}

function checkGroups(groups: readonly ParameterGroup<object>[]): void {
  const names = new Set<string>();
  const parameters = new Set<Parameter>();
  for (const [name, parameter] of groups.flatMap((group) => [...group.parameters])) {
    if (names.has(name)) throw repeated(name);
    if (parameters.has(parameter))
      throw argumentError("Optimizer", "every parameter in one group", `"${name}" in two`);
    names.add(name);
    parameters.add(parameter);
  }
  if (names.size === 0) throw argumentError("Optimizer", "parameters", "none");
}

/** Tells whether these are groups rather than parameters. */
function areGroups<Settings>(
  source: ParameterSource | readonly GroupOptions<Settings>[],
): source is readonly GroupOptions<Settings>[] {
  return Array.isArray(source) && source.every((element) => !Array.isArray(element));
}

/** What updates parameters from their gradients. */
export abstract class Optimizer<Settings extends object> {
  readonly groups: readonly ParameterGroup<Settings>[];
  /** The tensors of the state that each parameter has, by slot and parameter name. */
  readonly #slots: Readonly<Record<string, Map<string, Tensor>>>;

  /** @throws {Error} If there is no parameter, or a parameter or a name comes twice. */
  constructor(
    source: ParameterSource | readonly GroupOptions<Settings>[],
    settings: Settings,
    slots: readonly string[],
  ) {
    const groups = areGroups(source) ? source : [{ parameters: source } as GroupOptions<Settings>];
    this.groups = groups.map((group) => ({ ...settings, ...group, parameters: named(group.parameters) }));
    checkGroups(this.groups);
    this.#slots = Object.fromEntries(slots.map((slot) => [slot, new Map<string, Tensor>()]));
  }

  /** Changes the parameters of one group in place; runs in a scope of its own, without recording. */
  protected abstract update(group: ParameterGroup<Settings>, updates: readonly Update[]): void;

  /** Updates every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.groups) {
        const updates: Update[] = [];
        for (const [name, parameter] of group.parameters) {
          const gradient = parameter.grad;
          if (gradient) updates.push({ name, parameter, gradient });
        }
        if (updates.length > 0) this.update(group, updates);
      }
    });
  }

  /** Forgets the gradients: `grad` becomes `null`, which costs no memory and no time. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  *parameters(): Iterable<Parameter> {
    for (const group of this.groups) yield* group.parameters.values();
  }

  /** The tensors of one slot for the parameters of this step, made by `create` where there are none yet. */
  protected slot(
    slot: string,
    updates: readonly Update[],
    create: (update: Update, index: number) => Tensor,
  ): Tensor[] {
    const tensors = this.#slotNamed(slot);
    return updates.map((update, i) => {
      const found = tensors.get(update.name);
      if (found) return found;
      const made = keep(create(update, i));
      tensors.set(update.name, made);
      return made;
    });
  }

  #slotNamed(slot: string): Map<string, Tensor> {
    const tensors = this.#slots[slot];
    if (!tensors) throw new Error(`Optimizer: there is no slot ${slot}`);
    return tensors;
  }

  /** Numbers of the state beyond the settings of the groups. */
  protected numbers(): Record<string, number> {
    return {};
  }

  /** Takes numbers of the state beyond the settings of the groups. */
  protected loadNumbers(_numbers: Readonly<Record<string, number>>): void {}

  /** All that the next step depends on beside the parameters. */
  stateDict(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    for (const [slot, ofSlot] of Object.entries(this.#slots)) {
      for (const [name, tensor] of ofSlot) tensors.set(`${name}.${slot}`, tensor);
    }
    return { tensors, numbers: { ...this.#settings(), ...this.numbers() } };
  }

  #settings(): Record<string, number> {
    const numbers: Record<string, number> = {};
    for (const [i, group] of this.groups.entries()) {
      for (const [key, value] of Object.entries(group)) {
        if (typeof value === "number") numbers[`groups.${i}.${key}`] = value;
      }
    }
    return numbers;
  }

  /**
   * Continues from a state: copies its tensors, and takes over the numbers of its groups (learning rates too).
   *
   * @throws {Error} If it holds a tensor of an unknown name or another shape; nothing is changed then.
   */
  loadStateDict(state: OptimizerState): void {
    const parameters = new Map(this.groups.flatMap((group) => [...group.parameters]));
    const places = [...state.tensors].map(([key, tensor]) => this.#place(key, tensor, parameters));
    this.dispose();
    for (const { slot, name, parameter, tensor } of places) {
      const copy = noGrad(() => parameter.zerosLike().copy_(tensor));
      this.#slotNamed(slot).set(name, keep(copy));
    }
    for (const [i, group] of this.groups.entries()) this.#loadSettings(group, `groups.${i}.`, state.numbers);
    this.loadNumbers(state.numbers);
  }

  #place(key: string, tensor: Tensor, parameters: ReadonlyMap<string, Parameter>) {
    const end = key.lastIndexOf(".");
    const [name, slot] = [key.slice(0, end), key.slice(end + 1)];
    const parameter = parameters.get(name);
    if (!parameter || !this.#slots[slot]) {
      throw new Error(`loadStateDict(): the optimizer has no "${key}"; was the state saved by another one?`);
    }
    if (tensor.shape.join() !== parameter.shape.join()) {
      const expected = `"${key}" of shape [${parameter.shape.join(", ")}]`;
      throw argumentError("loadStateDict", expected, tensor.shape);
    }
    return { slot, name, parameter, tensor };
  }

  #loadSettings(
    group: ParameterGroup<Settings>,
    prefix: string,
    numbers: Readonly<Record<string, number>>,
  ): void {
    const settings = group as Record<string, unknown>;
    for (const key of Object.keys(settings)) {
      const value = numbers[prefix + key];
      if (typeof settings[key] === "number" && value !== undefined) settings[key] = value;
    }
  }

  /** Frees the tensors of the state. */
  dispose(): void {
    for (const tensors of Object.values(this.#slots)) {
      for (const tensor of tensors.values()) tensor.dispose();
      tensors.clear();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
