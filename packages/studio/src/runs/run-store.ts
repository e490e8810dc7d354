import { existsSync, readFileSync, statSync } from "node:fs";
import { auditPaths, isLocked, MetricsFollower, readEnvironments, runPaths } from "armseg/runs";
import type { RunSummary } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import { RequestError } from "../http/answers.ts";
import { type FoundFolder, findFolders } from "./find-folders.ts";
import { parseRunConfig, type RunConfig } from "./run-config.ts";
import { addRecords, emptyLog, type RunLog } from "./run-log.ts";
import { type RunFacts, runSummary } from "./summary.ts";

/** So many runs are kept with all their records. */
const OPEN_RUNS = 12;

interface FollowedLog {
  readonly follower: MetricsFollower;
  log: RunLog;
}

interface KnownRun extends FollowedLog {
  folder: FoundFolder;
  summary: RunSummary;
  config: RunConfig | null;
  /** Changes when the configuration's file does. */
  configStamp: string;
}

/** A run that somebody looks at, with its whole log. */
export interface OpenRun {
  readonly folder: FoundFolder;
  readonly summary: RunSummary;
  readonly log: RunLog;
  readonly config: RunConfig | null;
}

/** The runs below the given folders, followed as they are trained, moved and removed. */
export class RunStore {
  readonly #folders: GivenFolders;
  readonly #known = new Map<string, KnownRun>();
  readonly #open = new Map<string, FollowedLog & { busy: Promise<void> }>();
  #maps: readonly FoundFolder[] = [];
  /** Settles when the look under way has ended; it never fails. */
  #looking: Promise<unknown> = Promise.resolve();
  #nextLook: Promise<RunChanges> | null = null;

  constructor(folders: GivenFolders) {
    this.#folders = folders;
  }

  /** Folders of maps that lie in no run. */
  get maps(): readonly FoundFolder[] {
    return this.#maps;
  }

  /** In the order of their paths. */
  summaries(): RunSummary[] {
    return [...this.#known.values()].map(({ summary }) => summary);
  }

  /** Returns where a run lies. @throws {RequestError} 404 if there is none of this id, or no longer. */
  folder(id: string): string {
    const run = this.#known.get(id);
    if (run && existsSync(runPaths(run.folder.path).config)) return run.folder.path;
    throw new RequestError(404, `there is no run ${id}, or no longer`);
  }

  /** Reads a run's whole log, as far as it has not been. @throws {RequestError} 404 if it is gone. */
  async open(id: string): Promise<OpenRun> {
    const path = this.folder(id);
    const run = this.#known.get(id)!;
    const opened = this.#open.get(id) ?? {
      follower: new MetricsFollower(runPaths(path).metrics),
      log: emptyLog(),
      busy: Promise.resolve(),
    };
    this.#open.delete(id);
    this.#open.set(id, opened);
    if (this.#open.size > OPEN_RUNS) this.#open.delete(this.#open.keys().next().value!);
    // Two tabs must not add the same records.
    opened.busy = opened.busy.catch(() => {}).then(() => follow(opened, "all"));
    await opened.busy;
    return { folder: run.folder, summary: run.summary, log: opened.log, config: run.config };
  }

  /**
   * Looks at the folders anew. Calls while a look is under way share the next one: that one may already have passed by what the
   * caller means.
   *
   * @returns What changed since the last look.
   */
  refresh(): Promise<RunChanges> {
    this.#nextLook ??= this.#looking.then(() => {
      this.#nextLook = null;
      const look = this.#refresh();
      this.#looking = look.catch(() => {});
      return look;
    });
    return this.#nextLook;
  }

  async #refresh(): Promise<RunChanges> {
    const found = await findFolders(this.#folders.given);
    this.#maps = found.maps;
    const ids = new Set(found.runs.map(({ id }) => id));
    const gone = [...this.#known.keys()].filter((id) => !ids.has(id));
    for (const id of gone) {
      this.#known.delete(id);
      this.#open.delete(id);
      this.#folders.dropData(id);
    }
    const changed: RunSummary[] = [];
    for (const folder of found.runs) {
      const before = this.#known.get(folder.id)?.summary;
      const { summary } = await this.#look(folder);
      if (JSON.stringify(summary) !== JSON.stringify(before)) changed.push(summary);
    }
    return { changed, gone };
  }

  async #look(folder: FoundFolder): Promise<KnownRun> {
    const paths = runPaths(folder.path);
    const run = this.#known.get(folder.id) ?? this.#new(folder);
    let problem: string | null = null;
    try {
      this.#readConfig(run);
      await follow(run, "summary");
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const facts: RunFacts = {
      folder,
      config: run.config,
      isLocked: isLocked(paths.lock),
      started: startOf(paths.environment),
      hasAudit: existsSync(auditPaths(folder.path).summary),
      problem,
    };
    run.summary = runSummary(facts, run.log);
    return run;
  }

  #new(folder: FoundFolder): KnownRun {
    const run = {
      folder,
      // The curves are most of a log, and no part of the table.
      follower: new MetricsFollower(runPaths(folder.path).metrics, { skip: ["curve", "sample", "coverage"] }),
      log: emptyLog(),
      summary: undefined as unknown as RunSummary,
      config: null,
      configStamp: "",
    };
    this.#known.set(folder.id, run);
    return run;
  }

  #readConfig(run: KnownRun): void {
    const { config } = runPaths(run.folder.path);
    const { mtimeMs, size } = statSync(config);
    const stamp = `${mtimeMs} ${size}`;
    if (stamp === run.configStamp) return;
    run.config = parseRunConfig(readFileSync(config, "utf8"));
    run.configStamp = stamp;
    this.#folders.setData(run.folder.id, run.config.dataFolders);
  }
}

/** What a look at the folders brought. */
export interface RunChanges {
  readonly changed: readonly RunSummary[];
  readonly gone: readonly string[];
}

async function follow(run: FollowedLog, keep: "all" | "summary"): Promise<void> {
  const { records, isRestarted } = await run.follower.read();
  if (isRestarted) run.log = emptyLog();
  addRecords(run.log, records, keep);
}

/** The date of a run's first start; its file may be missing or half written. */
function startOf(environment: string): string | null {
  try {
    return readEnvironments(environment)[0]?.date ?? null;
  } catch {
    return null;
  }
}
