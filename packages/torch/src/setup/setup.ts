import { createInterface } from "node:readline/promises";
import { type Archive, archiveFor, describeArchive, fileOf } from "./archives.ts";
import { buildCommands, buildNative } from "./build.ts";
import { rememberedLibtorch, rememberLibtorch } from "./cache.ts";
import { fetchArchive, folderOf } from "./fetch-archive.ts";
import { findLibtorch } from "./find.ts";
import { describeLibtorch, isSupported, type Libtorch } from "./libtorch.ts";
import { buildFolder, type NativePackage } from "./native-package.ts";
import {
  aptCommands,
  aptHasLibtorch,
  canInstallPackages,
  hasApt,
  hasGloo,
  installPackages,
  missingTools,
  updateLists,
  usesReferenceBlas,
} from "./system-packages.ts";

/** What a set-up may do. */
export interface SetupOptions {
  /** Downloads without a question. */
  readonly yes?: boolean;
  /** Takes a libtorch with CUDA only. */
  readonly cuda?: boolean;
  /** Does nothing, but says what would be done, with all commands and addresses. */
  readonly print?: boolean;
  /** Refuses what needs a network. */
  readonly offline?: boolean;
  /** How the command is called, for messages. */
  readonly command?: string;
}

/** Something that a person must do before set-up can go on; the message has the commands. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}

/**
 * Finds a libtorch, or has one installed or downloaded, and builds native code against it.
 *
 * The order: `LIBTORCH`; the one chosen before; the torch of `python3`; the system's; one in armseg's cache; apt, where it has one
 * that works; else the official archive, after a question. What was found is what programs of this user run on from then on.
 *
 * @throws {SetupError} If something is missing that it may not or cannot bring.
 */
export async function setup(packages: readonly NativePackage[], options: SetupOptions = {}): Promise<void> {
  const found = findLibtorch(options.cuda);
  if (options.print) return print(packages, found, options);
  const apt = packagesToInstall(found, options);
  if (apt.length > 0) install(apt, options);
  else if (!options.offline) installOptional();
  const libtorch = found ?? findLibtorch(options.cuda) ?? (await offerArchive(options));
  checkLibtorch(libtorch, options);
  process.stdout.write(`${describeLibtorch(libtorch)}\n`);
  for (const native of packages) buildNative(native, libtorch);
  rememberLibtorch(libtorch, isChosen(libtorch));
}

/** Named now or at an earlier set-up, or downloaded: then later set-ups keep to it. */
function isChosen({ origin, libraries }: Libtorch): boolean {
  const before = rememberedLibtorch();
  const stays = before?.isChosen === true && before.libraries === libraries;
  return stays || origin === "LIBTORCH" || origin === "armseg's cache";
}

/** One that `LIBTORCH` names is not passed over in silence, as one that was found is. */
function checkLibtorch({ version, hasCuda, libraries }: Libtorch, { cuda }: SetupOptions): void {
  if (!isSupported(version)) {
    throw new SetupError(`libtorch ${version} in ${libraries} is too old; 1.13 or newer is needed`);
  }
  if (cuda && !hasCuda) {
    throw new SetupError(
      `--cuda: the libtorch that LIBTORCH names (${libraries}) was built without CUDA; name another, or unset it`,
    );
  }
}

/** Debian packages without which it does not go on here; none of libtorch where apt has none that works, or none with CUDA. */
function packagesToInstall(found: Libtorch | null, { cuda }: SetupOptions): string[] {
  const names = missingTools();
  const takesDebians = found === null && !cuda && hasApt() && aptHasLibtorch();
  if (takesDebians) names.push("libtorch-dev");
  if (takesDebians || (isOfSystem(found) && usesReferenceBlas())) names.push("libopenblas0-pthread");
  return names;
}

function isOfSystem(found: Libtorch | null): boolean {
  return found?.libraries.startsWith("/usr/lib") ?? false;
}

/** What people without apt, or without its rights, are told. */
function toolsByHand(names: readonly string[], { command }: SetupOptions): string {
  if (process.platform === "darwin") {
    return `These are missing: ${names.join(", ")}. Type\n\n  xcode-select --install\n  brew install cmake\n\nand ${again(command)}`;
  }
  if (process.platform === "win32") {
    return `A compiler and CMake are missing. Install the Visual Studio Build Tools with "Desktop development with C++", and ${again(command)}`;
  }
  if (!hasApt()) {
    return `These are missing: ${names.join(", ")}. Install a C++17 compiler, CMake 3.18 or newer and make, and ${again(command)}`;
  }
  const commands = aptCommands(names).map((line) => `  ${line}`);
  return `These are missing: ${names.join(", ")}. Type\n\n${commands.join("\n")}\n\nand ${again(command)}`;
}

function again(command = "npx armseg setup"): string {
  return `run ${command} again. ${ANOTHER}`;
}

const ANOTHER =
  "With a libtorch of your own (1.13 or newer, with or without CUDA), and a C++ compiler, cmake and make at hand:\n\n  export LIBTORCH=/path/to/libtorch";

function install(names: readonly string[], options: SetupOptions): void {
  if (options.offline || !canInstallPackages()) throw new SetupError(toolsByHand(names, options));
  updateLists();
  installPackages(names);
  installOptional();
}

/** A machine that cannot have Gloo's headers still trains, in one process. */
function installOptional(): void {
  if (process.platform !== "linux" || hasGloo()) return;
  try {
    if (canInstallPackages()) installPackages(["libgloo-dev"]);
  } catch {
    // apt said why
  }
  if (hasGloo()) return;
  process.stdout.write("Without libgloo-dev: no training on several processes of a CPU.\n");
}

/** What is typed where an archive is brought by hand, from another machine. */
function archiveByHand(archive: Archive): string[] {
  const folder = folderOf(archive);
  return [
    `curl -LO ${archive.url}`,
    `echo "${archive.sha256}  ${fileOf(archive)}" | sha256sum --check`,
    `mkdir -p ${folder} && unzip -q ${fileOf(archive)} -d ${folder}`,
    `export LIBTORCH=${folder}/${archive.root}`,
  ];
}

function archiveOrError(options: SetupOptions): Archive {
  const archive = archiveFor(options.cuda ?? false);
  if (archive) return archive;
  const kind = options.cuda ? "with CUDA " : "";
  throw new SetupError(
    `No libtorch ${kind}was found, and no archive ${kind}is known for ${process.platform}-${process.arch}. ${ANOTHER}`,
  );
}

/** Downloads the official archive, if that is wanted. */
async function offerArchive(options: SetupOptions): Promise<Libtorch> {
  const archive = archiveOrError(options);
  const what = `${describeArchive(archive)}\n  ${archive.url}\n  SHA-256 ${archive.sha256} (${archive.hashSource})`;
  if (options.offline || !(options.yes || (await confirms(`No libtorch was found. Download ${what}\n`)))) {
    const commands = archiveByHand(archive).map((line) => `  ${line}`);
    throw new SetupError(
      `No libtorch was found. ${options.command ?? "npx armseg setup"} --yes downloads ${what}\n\nBy hand:\n\n${commands.join("\n")}\n\nand ${options.command ?? "npx armseg setup"} again.`,
    );
  }
  return fetchArchive(archive);
}

/** Asks on a terminal; elsewhere nobody can agree. */
async function confirms(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question}? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Says what a set-up would do. */
function print(packages: readonly NativePackage[], found: Libtorch | null, options: SetupOptions): void {
  const lines = [found ? describeLibtorch(found) : "No libtorch was found."];
  const apt = packagesToInstall(found, options);
  if (apt.length > 0)
    lines.push("", "Packages:", ...(hasApt() ? aptCommands(apt) : [toolsByHand(apt, options)]));
  const takesArchive = found === null && !apt.includes("libtorch-dev");
  if (takesArchive) lines.push("", "The official archive:", ...archiveByHand(archiveOrError(options)));
  if (found === null) lines.push("", "Then the native code:", options.command ?? "npx armseg setup");
  else for (const native of packages) lines.push("", `${native.name}:`, ...buildLines(native, found));
  process.stdout.write(`${lines.join("\n")}\n`);
}

function buildLines(native: NativePackage, libtorch: Libtorch): string[] {
  const folder = buildFolder(native, libtorch);
  return buildCommands(native, libtorch, folder).map((words) => words.map(quoted).join(" "));
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}
