import { optim, type Parameter } from "@armseg/torch";
import type { Segmenter } from "../networks/index.ts";
import { type AdversaryOptions, adversaryGroup, type Curve } from "../reweighting/index.ts";

/**
 * What a group of parameters is: the network (only its backbone where the head has a rate of its own), the head, the curve.
 * `noDecay` is for norm parameters and biases, where they take part in no weight decay.
 */
export type GroupName = "network" | "network.noDecay" | "head" | "head.noDecay" | "curve";

/** Parameters that share a learning rate and a weight decay. */
export interface NamedGroup {
  readonly name: GroupName;
  readonly parameters: [name: string, parameter: Parameter][];
  /** The group's learning rate is the schedule's times this; negative for the curve, which climbs. */
  readonly rateFactor: number;
  readonly weightDecay: number;
}

/** How a network's parameters differ from each other in their updates. */
export interface NetworkGroupOptions {
  /** Factor on the learning rate of everything but the backbone; 1 makes no group of its own. */
  readonly headMultiplier: number;
  readonly weightDecay: number;
  /** Whether norm parameters and biases decay too. */
  readonly decayNormAndBias: boolean;
}

/** Returns the parameters that are trained: all but those of frozen modules, in the order of the network. */
export function trainedParameters(network: Segmenter): Parameter[] {
  return [...network.parameters()].filter(({ requiresGrad }) => requiresGrad);
}

/** Returns the groups of a network's trained parameters, in the order of their first parameters. */
export function networkGroups(network: Segmenter, options: NetworkGroupOptions): NamedGroup[] {
  const groups = new Map<GroupName, NamedGroup>();
  for (const [name, parameter] of network.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const empty = groupOf(name, parameter, options);
    const group = groups.get(empty.name) ?? empty;
    group.parameters.push([name, parameter]);
    groups.set(group.name, group);
  }
  return [...groups.values()];
}

/** The group of one parameter, without parameters yet. */
function groupOf(
  name: string,
  parameter: Parameter,
  { headMultiplier, weightDecay, decayNormAndBias }: NetworkGroupOptions,
): NamedGroup {
  const isHead = headMultiplier !== 1 && !name.startsWith("backbone.");
  // Norm parameters and biases are the ones with a single dimension.
  const isDecayed = decayNormAndBias || parameter.ndim > 1 || weightDecay === 0;
  const part = isHead ? "head" : "network";
  return {
    name: isDecayed ? part : `${part}.noDecay`,
    parameters: [],
    rateFactor: isHead ? headMultiplier : 1,
    weightDecay: isDecayed ? weightDecay : 0,
  };
}

/** Returns the group of a curve's parameters, whose learning rate is negative. */
export function curveGroup(curve: Curve, options: AdversaryOptions): NamedGroup {
  const { parameters, learningRate, weightDecay } = adversaryGroup(curve, 1, options);
  return {
    name: "curve",
    parameters: parameters.map(([name, parameter]) => [name, parameter]),
    rateFactor: learningRate,
    weightDecay,
  };
}

/** How all groups are updated. */
export type UpdateRule =
  | { readonly type: "sgd"; readonly momentum: number; readonly nesterov: boolean }
  | { readonly type: "adamw" };

export type TrainingOptimizer = optim.SGD | optim.AdamW;

/** One optimiser over groups of parameters that are known by name. */
export class ParameterGroups {
  readonly optimizer: TrainingOptimizer;
  readonly #rateFactors: ReadonlyMap<GroupName, number>;
  readonly #settings: ReadonlyMap<GroupName, { learningRate: number }>;

  /** @param learningRate - The base rate, until {@link setLearningRate}. */
  constructor(groups: readonly NamedGroup[], rule: UpdateRule, learningRate: number) {
    const options = groups.map(({ parameters, weightDecay, rateFactor }) => ({
      parameters,
      weightDecay,
      learningRate: learningRate * rateFactor,
    }));
    this.optimizer =
      rule.type === "adamw"
        ? new optim.AdamW(options, { learningRate })
        : new optim.SGD(options, { learningRate, momentum: rule.momentum, nesterov: rule.nesterov });
    this.#rateFactors = new Map(groups.map(({ name, rateFactor }) => [name, rateFactor]));
    const settings = this.optimizer.groups as readonly { learningRate: number }[];
    this.#settings = new Map(groups.map(({ name }, i) => [name, settings[i] as { learningRate: number }]));
  }

  /** Sets every group's learning rate: the base rate times its factor. */
  setLearningRate(rate: number): void {
    for (const [name, settings] of this.#settings) {
      settings.learningRate = rate * (this.#rateFactors.get(name) as number);
    }
  }

  /** Returns the learning rate of a group at present; `undefined` where there is no such group. */
  learningRate(name: GroupName): number | undefined {
    return this.#settings.get(name)?.learningRate;
  }
}
