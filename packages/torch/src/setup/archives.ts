/** An official archive with the libraries and headers of a libtorch: a zip, a Python wheel included. */
export interface Archive {
  /** By `process.platform` and `process.arch`. */
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  readonly version: string;
  /** What it computes on, as its publisher calls it. */
  readonly variant: "cpu" | "cu128";
  readonly url: string;
  /** Of the archive; where it is not known, the server tells when asked. */
  readonly bytes?: number;
  /** SHA-256 of the archive, in hexadecimal. */
  readonly sha256: string;
  /** The folder inside of it that holds `include` and `lib`. */
  readonly root: "libtorch" | "torch";
  /** Where the SHA-256 is from: PyTorch publishes none for the zips of libtorch. */
  readonly hashSource: string;
}

const ADDRESS = "https://download.pytorch.org";

/**
 * The archives that set-up offers. Wheels are preferred where they are whole (those with CUDA keep CUDA in other wheels).
 * On Linux x64 the first is the one that the tests ran on; those of macOS, Windows and ARM are untried.
 */
export const ARCHIVES: readonly Archive[] = [
  {
    platform: "linux",
    arch: "x64",
    version: "2.13.0",
    variant: "cpu",
    url: `${ADDRESS}/whl/cpu/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl`,
    bytes: 191794682,
    sha256: "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
    root: "torch",
    hashSource: "the file that armseg's tests ran on",
  },
  {
    platform: "linux",
    arch: "x64",
    version: "2.9.1",
    variant: "cu128",
    url: `${ADDRESS}/libtorch/cu128/libtorch-shared-with-deps-2.9.1%2Bcu128.zip`,
    sha256: "b052452965093db69f537b3cf376812d5acf6dca28819b20d28d7f0b171d7699",
    root: "libtorch",
    hashSource: "three public projects that pin it, independently of each other",
  },
  {
    platform: "linux",
    arch: "arm64",
    version: "2.9.1",
    variant: "cpu",
    url: `${ADDRESS}/whl/cpu/torch-2.9.1%2Bcpu-cp311-cp311-manylinux_2_28_aarch64.whl`,
    sha256: "0e611cfb16724e62252b67d31073bc5c490cb83e92ecdc1192762535e0e44487",
    root: "torch",
    hashSource: "nixpkgs",
  },
  {
    platform: "darwin",
    arch: "arm64",
    version: "2.9.1",
    variant: "cpu",
    url: `${ADDRESS}/whl/cpu/torch-2.9.1-cp311-none-macosx_11_0_arm64.whl`,
    sha256: "a52952a8c90a422c14627ea99b9826b7557203b46b4d0772d3ca5c7699692425",
    root: "torch",
    hashSource: "nixpkgs",
  },
  {
    platform: "win32",
    arch: "x64",
    version: "2.7.1",
    variant: "cpu",
    url: `${ADDRESS}/libtorch/cpu/libtorch-win-shared-with-deps-2.7.1%2Bcpu.zip`,
    sha256: "a294845080d67ff579073b7b6e17e7da1cc856dde6e63fca2d71498b482580f8",
    root: "libtorch",
    hashSource: "one public project that pins it",
  },
];

/** Returns the archive for a machine, or `null` where none is known. */
export function archiveFor(
  needsCuda: boolean,
  platform: NodeJS.Platform = process.platform,
  arch: NodeJS.Architecture = process.arch,
): Archive | null {
  const fits = (archive: Archive) =>
    archive.platform === platform && archive.arch === arch && (archive.variant !== "cpu") === needsCuda;
  return ARCHIVES.find(fits) ?? null;
}

/** Returns the name of an archive's file. */
export function fileOf({ url }: Archive): string {
  return decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
}

/** Returns e.g. `libtorch 2.13.0 (cpu), 192 MB`. */
export function describeArchive({ version, variant, bytes }: Archive): string {
  const size = bytes === undefined ? "" : `, ${Math.round(bytes / 1e6)} MB`;
  return `libtorch ${version} (${variant})${size}`;
}
