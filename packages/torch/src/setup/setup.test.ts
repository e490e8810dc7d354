import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NATIVE_BINDING } from "../native/package.ts";
import { fakeLibtorchFiles, writeFakeLibtorch } from "../testing/fake-libtorch.ts";
import { fileServer, send } from "../testing/file-server.ts";
import { zip } from "../testing/zip.ts";
import { ARCHIVES, type Archive, archiveFor, describeArchive, fileOf } from "./archives.ts";
import { rememberedLibtorch, rememberLibtorch } from "./cache.ts";
import { DownloadError } from "./download.ts";
import { fetchArchive, folderOf } from "./fetch-archive.ts";
import { findLibtorch } from "./find.ts";
import { libtorchIn } from "./libtorch.ts";
import { buildFolder, builtLibrary, libtorchInUse, type NativePackage } from "./native-package.ts";
import { SetupError, setup } from "./setup.ts";
import { candidateVersion, distributionHasLibtorch } from "./system-packages.ts";

const folder = mkdtempSync(join(tmpdir(), "setup-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
let here: string;
let output = "";
beforeEach(() => {
  here = join(folder, `${++count}`);
  vi.stubEnv("ARMSEG_BUILDS", join(here, "builds"));
  vi.stubEnv("LIBTORCH", undefined);
  output = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const fake = (version: string, options = {}) => writeFakeLibtorch(join(here, version), version, options);

describe("a libtorch", () => {
  test("is known by its headers and libraries: version, string ABI, CUDA", () => {
    expect(libtorchIn("a test", fake("2.13.0"))).toMatchObject({
      version: "2.13.0",
      cxx11Abi: 1,
      hasCuda: false,
    });
    const old = libtorchIn("a test", fake("2.1.2", { cuda: true, oldAbi: true }));
    expect(old).toMatchObject({ version: "2.1.2", cxx11Abi: 0, hasCuda: true });
    expect(libtorchIn("a test", here)).toBeNull();
  });

  test("LIBTORCH goes before all, and is an error where there is none", () => {
    vi.stubEnv("LIBTORCH", fake("2.9.1"));
    expect(findLibtorch()).toMatchObject({ origin: "LIBTORCH", version: "2.9.1" });
    vi.stubEnv("LIBTORCH", here);
    expect(() => findLibtorch()).toThrow(/^LIBTORCH is .*no include\/ATen\/ATen\.h/);
  });

  test("the one that was chosen is kept to, not one that was only found, nor one without CUDA where CUDA is asked for", () => {
    vi.stubEnv("PATH", ""); // no python3
    const libtorch = libtorchIn("LIBTORCH", fake("2.9.1"));
    rememberLibtorch(libtorch!, false);
    expect(findLibtorch()?.version).not.toBe("2.9.1");
    rememberLibtorch(libtorch!, true);
    expect(findLibtorch()?.version).toBe("2.9.1");
    expect(findLibtorch(true)).toBeNull();
    rmSync(join(here, "2.9.1"), { recursive: true });
    expect(findLibtorch()?.version).not.toBe("2.9.1");
  });
});

describe("what programs run on", () => {
  test("without a set-up: what to type", () => {
    expect(() => libtorchInUse()).toThrow(
      /^no libtorch has been set up for this user; run `npx armseg setup`/,
    );
  });

  test("a libtorch that is gone, or is another version now, is named, with the one that was found", () => {
    const [chosen, other] = [fake("2.13.0"), fake("2.9.1")];
    rememberLibtorch(libtorchIn("LIBTORCH", chosen)!, true);
    expect(libtorchInUse().version).toBe("2.13.0");
    const message = (found: string) => new RegExp(`^libtorch 2\\.13\\.0 at .*lib is gone; ${found}; run`);
    rmSync(chosen, { recursive: true });
    vi.stubEnv("PATH", "");
    expect(() => libtorchInUse()).toThrow(
      message("(\\d+\\.\\d+\\.\\d+ was found \\(the system, .*\\)|no other was found)"),
    );
    cpSync(other, chosen, { recursive: true });
    expect(() => libtorchInUse()).toThrow(message(".*"));
  });

  test("a build is that of one libtorch, one string ABI and one state of the sources, wherever these lie", () => {
    const sources = join(here, "native");
    mkdirSync(join(sources, "src"), { recursive: true });
    writeFileSync(join(sources, "src", "a.cc"), "int a;");
    const native: NativePackage = { ...NATIVE_BINDING, name: "test", version: "1.2.3", sources };
    const libtorch = libtorchIn("LIBTORCH", fake("2.13.0"))!;
    const first = buildFolder(native, libtorch);
    expect(first).toMatch(/test-1\.2\.3-libtorch-2\.13\.0-[0-9a-f]{10}$/);
    cpSync(sources, join(here, "copy"), { recursive: true });
    expect(buildFolder({ ...native, sources: join(here, "copy") }, libtorch)).toBe(first);
    expect(buildFolder(native, { ...libtorch, cxx11Abi: 0 })).not.toBe(first);
    expect(buildFolder(native, { ...libtorch, libraries: "/elsewhere" })).not.toBe(first);
    rememberLibtorch(libtorch, true);
    expect(() => builtLibrary(native)).toThrow(
      /^test 1\.2\.3 has not been built against libtorch 2\.13\.0 of LIBTORCH/,
    );
    mkdirSync(first, { recursive: true });
    writeFileSync(join(first, native.library), "");
    expect(builtLibrary(native)).toBe(join(first, native.library));
    writeFileSync(join(sources, "src", "a.cc"), "int b;");
    expect(() => builtLibrary(native)).toThrow(/has not been built/);
  });
});

describe("the official archive", () => {
  const files = [...fakeLibtorchFiles("2.13.0")].map(([name, content]) => ({
    name: `torch/${name}`,
    content,
  }));
  const content = zip([
    ...[...files, { name: "torch/__init__.py", content: "python" }].map(({ name, content }) => ({
      name,
      content: Buffer.from(content),
      deflated: true,
    })),
  ]);
  const archiveAt = (url: string, sha256 = createHash("sha256").update(content).digest("hex")): Archive => ({
    ...ARCHIVES[0]!,
    url: `${url}/torch-2.13.0%2Bcpu.whl`,
    sha256,
  });

  test("is fetched, verified and unpacked into the cache, where the next set-up finds it", async () => {
    await using server = await fileServer((req, res) => send(content, req, res));
    const libtorch = await fetchArchive(archiveAt(server.url));
    expect(libtorch).toMatchObject({ version: "2.13.0", origin: "armseg's cache" });
    expect(server.requests).toEqual(["GET /torch-2.13.0%2Bcpu.whl"]);
    expect(readdirSync(join(here, "builds", "libtorch"))).toEqual(["2.13.0-cpu"]);
    expect(existsSync(join(folderOf(ARCHIVES[0]!), "__init__.py"))).toBe(false);
    expect(output).toMatch(/Downloading libtorch 2\.13\.0 \(cpu\), 192 MB from http/);
  });

  test("with another hash it is not unpacked", async () => {
    await using server = await fileServer((req, res) => send(content, req, res));
    await expect(fetchArchive(archiveAt(server.url, "0".repeat(64)))).rejects.toThrow(DownloadError);
    expect(readdirSync(join(here, "builds", "libtorch"))).toEqual([]);
  });

  test("is known for the machines that are promised, each with a whole SHA-256 and its source", () => {
    const machines = ARCHIVES.map(({ platform, arch, variant }) => `${platform}-${arch}-${variant}`);
    expect(machines).toEqual([
      "linux-x64-cpu",
      "linux-x64-cu128",
      "linux-arm64-cpu",
      "darwin-arm64-cpu",
      "win32-x64-cpu",
    ]);
    for (const archive of ARCHIVES) {
      expect(archive.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(archive.url).toMatch(/^https:\/\/download\.pytorch\.org\//);
      expect(archive.hashSource).not.toBe("");
      expect(fileOf(archive)).toContain(archive.version);
    }
    expect(archiveFor(true, "linux", "x64")?.variant).toBe("cu128");
    expect(archiveFor(true, "darwin", "arm64")).toBeNull();
    expect(describeArchive(ARCHIVES[1]!)).toBe("libtorch 2.9.1 (cu128)");
  });
});

describe("set-up", () => {
  test("--print says what would be built, with what, and does nothing", async () => {
    vi.stubEnv("LIBTORCH", fake("2.13.0"));
    await setup([NATIVE_BINDING], { print: true });
    expect(output).toMatch(
      /^libtorch 2\.13\.0 of LIBTORCH: .*\n[\s\S]*cmake -S .* -B .*CMAKE_CXX_STANDARD=20/,
    );
    expect(output).toMatch(/cmake --build .*--parallel/);
    expect(existsSync(join(here, "builds"))).toBe(false);
  });

  test.runIf(process.platform === "linux" && process.arch === "x64")(
    "where nothing is found, nobody can be asked and nothing may be fetched, it says address, hash and commands",
    async () => {
      const { url, sha256 } = archiveFor(true)!;
      const said = setup([NATIVE_BINDING], { cuda: true, offline: true });
      await expect(said).rejects.toThrow(SetupError);
      const message = await said.catch((error: Error) => error.message);
      for (const part of [url, `echo "${sha256}  `, "sha256sum --check", "unzip -q", "export LIBTORCH="]) {
        expect(message).toContain(part);
      }
      expect(rememberedLibtorch()).toBeNull();
    },
  );

  test("a libtorch that LIBTORCH names is not passed over in silence: too old, or without CUDA", async () => {
    vi.stubEnv("LIBTORCH", fake("1.4.0"));
    await expect(setup([], { offline: true })).rejects.toThrow(
      /libtorch 1\.4\.0 in .* is too old; 1\.13 or newer/,
    );
    vi.stubEnv("LIBTORCH", fake("2.9.1"));
    await expect(setup([], { offline: true, cuda: true })).rejects.toThrow(
      /--cuda: .* was built without CUDA/,
    );
  });

  test("remembers what was named, and keeps to it", async () => {
    vi.stubEnv("LIBTORCH", fake("2.9.1"));
    await setup([], { offline: true });
    vi.stubEnv("LIBTORCH", undefined);
    await setup([], { offline: true });
    expect(rememberedLibtorch()).toMatchObject({ version: "2.9.1", isChosen: true });
    expect(libtorchInUse().version).toBe("2.9.1");
  });
});

describe("what distributions have", () => {
  test("the candidate of apt", () => {
    expect(candidateVersion("libtorch-dev:\n  Installed: (none)\n  Candidate: 2.6.0+dfsg-7\n")).toBe("2.6.0");
    expect(candidateVersion("libtorch-dev:\n  Candidate: 1:1.13.1+dfsg-4\n")).toBe("1.13.1");
    expect(candidateVersion("libtorch-dev:\n  Candidate: (none)\n")).toBeNull();
    expect(candidateVersion("")).toBeNull();
  });

  test("by name, where apt has no lists yet", () => {
    const release = (id: string, version: string) => `NAME="x"\nID=${id}\nVERSION_ID="${version}"\n`;
    expect(distributionHasLibtorch(release("debian", "12"))).toBe(true);
    expect(distributionHasLibtorch(release("debian", "11"))).toBe(false);
    expect(distributionHasLibtorch(release("ubuntu", "24.04"))).toBe(false);
    expect(distributionHasLibtorch(release("ubuntu", "25.04"))).toBe(true);
    expect(distributionHasLibtorch("ID=debian\n")).toBe(true);
    expect(distributionHasLibtorch(release("fedora", "40"))).toBe(false);
  });
});
