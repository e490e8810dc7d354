import { argumentError } from "../argument-error.ts";

/** Where the processes of a group find each other, and which one this is. */
export interface Rendezvous {
  /** 0 to `worldSize - 1`. */
  readonly rank: number;
  readonly worldSize: number;
  /** Among the processes of this host: which GPU to take. */
  readonly localRank: number;
  /** Processes of this host, where the launcher says so. */
  readonly localWorldSize?: number;
  /** Host of rank 0. */
  readonly masterAddress: string;
  readonly masterPort: number;
  /** Set where torchrun's agent listens on that port itself: the keys of this attempt begin with it. */
  readonly agentPrefix?: string;
}

const CALLER = "rendezvousFromEnvironment";

type Variables = Readonly<Record<string, string | undefined>>;

/** Names of the same value: torchrun's and the Kubernetes operators', then Slurm's. */
const NAMES = {
  rank: ["RANK", "SLURM_PROCID"],
  worldSize: ["WORLD_SIZE", "SLURM_NTASKS"],
  localRank: ["LOCAL_RANK", "SLURM_LOCALID"],
  localWorldSize: ["LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE"],
} as const;

function readNumber(variables: Variables, names: readonly string[]): number | undefined {
  const name = names.find((candidate) => variables[candidate]);
  if (name === undefined) return undefined;
  const value = Number(variables[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  throw argumentError(CALLER, `${name} to be a whole number of at least 0`, `"${variables[name]}"`);
}

/**
 * Reads where and as which rank this process joins its group, as torchrun, Slurm and Kubernetes operators write it: `RANK`, `WORLD_SIZE`,
 * `LOCAL_RANK`, `MASTER_ADDR`, `MASTER_PORT`; of Slurm `SLURM_PROCID`, `SLURM_NTASKS`, `SLURM_LOCALID`.
 *
 * @returns `null` for a process on its own: no master is named, or the world size is 1.
 * @throws {RangeError} If a value is missing or makes no sense.
 */
export function rendezvousFromEnvironment(variables: Variables = process.env): Rendezvous | null {
  // Slurm sets its variables for any job; only a master makes several processes one training.
  if (!variables.MASTER_ADDR) return null;
  const rank = readNumber(variables, NAMES.rank);
  const worldSize = readNumber(variables, NAMES.worldSize);
  const masterPort = readNumber(variables, ["MASTER_PORT"]);
  if (rank === undefined && worldSize === undefined) return null;
  if (rank === undefined || worldSize === undefined || masterPort === undefined) {
    const missing = Object.entries({ RANK: rank, WORLD_SIZE: worldSize, MASTER_PORT: masterPort });
    const names = missing.filter(([, value]) => value === undefined).map(([name]) => name);
    const expected = `${names.join(" and ")} beside MASTER_ADDR`;
    throw argumentError(CALLER, expected, "nothing", "set it, or unset MASTER_ADDR");
  }
  if (rank >= worldSize) throw argumentError(CALLER, `RANK below WORLD_SIZE, which is ${worldSize}`, rank);
  if (worldSize === 1) return null;
  const localWorldSize = readNumber(variables, NAMES.localWorldSize);
  const hasAgent = variables.TORCHELASTIC_USE_AGENT_STORE === "True";
  return {
    rank,
    worldSize,
    localRank: readNumber(variables, NAMES.localRank) ?? rank,
    ...(localWorldSize !== undefined && { localWorldSize }),
    masterAddress: variables.MASTER_ADDR,
    masterPort,
    ...(hasAgent && { agentPrefix: `/worker/attempt_${variables.TORCHELASTIC_RESTART_COUNT ?? 0}` }),
  };
}
