import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeScenes } from "../src/data/write-scenes.ts";

/** The command as it is installed, built: what users start, and three times as fast to start as its sources. */
const command = fileURLToPath(new URL("../bin/armseg.mjs", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As on a machine without libtorch: whoever imports the engine fails. */
const withoutLibtorch = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(
      'export function resolve(name, context, next) { if (name === "@armseg/torch") throw new Error("no libtorch here"); return next(name, context); }',
    )}");`,
  )}`,
};

function armseg(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  return { status, stdout, stderr };
}

describe("help and usage", () => {
  test("without a command it lists the commands and is done", () => {
    const { status, stdout } = armseg([]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: armseg[\s\S]*train[\s\S]*bench/);
  });

  test("what it does not know is wrong usage, with a suggestion", () => {
    const { status, stdout, stderr } = armseg(["tarin"]);
    expect(stderr).toMatch(/unknown command 'tarin'[\s\S]*train/);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  test("a command that fails says so in one message, and with ARMSEG_DEBUG=1 where", () => {
    const { status, stderr } = armseg(["init", "nowhere", "nowhere"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^armseg: .*nowhere/);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(armseg(["init", "nowhere", "nowhere"], { ARMSEG_DEBUG: "1" }).stderr).toMatch(/\n {4}at /);
  });
});

describe("from two folders to a checked configuration, without libtorch", () => {
  beforeAll(async () => {
    await writeScenes(join(folder, "scenes"), { count: 10, seed: 1, size: [48, 96], splits: { all: 1 } });
  });

  test("the doctor says so, and is not content", () => {
    const { status, stdout } = armseg(["doctor"], withoutLibtorch);
    expect(stdout).toMatch(/libtorch +does not load[\s\S]*! no libtorch here\n {2}npx armseg setup/);
    expect(status).toBe(1);
  });

  test("init writes a configuration and two lists, and overwrites nothing", () => {
    const args = ["init", "scenes/images/all", "scenes/labels/all"];
    const { status, stdout } = armseg(args, withoutLibtorch);
    expect(stdout).toMatch(
      /10 images with a mask[\s\S]*Wrote armseg\.yaml, train\.txt, val\.txt[\s\S]*armseg train armseg\.yaml[\s\S]*data check armseg\.yaml --html check\.html\n$/,
    );
    expect(status).toBe(0);
    const before = readFileSync(join(folder, "armseg.yaml"), "utf8");
    const again = armseg(args, withoutLibtorch);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/armseg\.yaml exists and is not overwritten/);
    expect(readFileSync(join(folder, "armseg.yaml"), "utf8")).toBe(before);
  });

  test("data check finds both splits fit, as text and as JSON, and draws them", () => {
    const { status, stdout } = armseg(
      ["data", "check", "armseg.yaml", "--html", "check.html"],
      withoutLibtorch,
    );
    expect(stdout).toMatch(
      /8 images[\s\S]*class_3[\s\S]*2 images[\s\S]*Wrote check\.html[\s\S]*Fit to train on/,
    );
    expect(status).toBe(0);
    expect(existsSync(join(folder, "check.html"))).toBe(true);
    const json = JSON.parse(armseg(["data", "check", "armseg.yaml", "--json"], withoutLibtorch).stdout);
    expect(json).toMatchObject({ isUsable: true, shared: [], train: { samples: 8 }, val: { samples: 2 } });
  });

  test("weights are listed, and what a configuration needs is said before a training, with the place for the file", () => {
    const cache = {
      ARMSEG_CACHE: join(folder, "cache"),
      ARMSEG_WEIGHTS_URL: "http://127.0.0.1:65534",
      ...withoutLibtorch,
    };
    const list = armseg(["weights", "list"], cache);
    expect(list.stdout).toMatch(/resnet18 +45 +f37072fd +no +BSD-3-Clause/);
    expect(list.stdout).toMatch(/resnet50_v1c +\? +2cccc1ad \* +no +Apache-2\.0/);
    const file = join(folder, "cache", "weights", "resnet18-f37072fd.pth");
    const fetched = armseg(["weights", "fetch", "resnet18"], cache);
    expect(fetched.status).toBe(1);
    expect(fetched.stderr).toContain("no answer (ECONNREFUSED)");
    expect(fetched.stderr).toContain(`  http://127.0.0.1:65534/resnet18-f37072fd.pth\n  ${file}\n`);
    const path = armseg(["weights", "path", "resnet18"], cache);
    expect([path.status, path.stderr]).toEqual([
      1,
      `armseg: weights: ${file} is not there; armseg weights fetch resnet18 fetches it\n`,
    ]);
    const set = [
      "--set",
      "model.weights=imagenet",
      "--set",
      "model.backbone=resnet18",
      "--set",
      "model.stem=v1",
    ];
    const check = armseg(["data", "check", "armseg.yaml", ...set], cache);
    expect(check.status).toBe(0);
    expect(check.stdout).toMatch(
      /Fit to train on[\s\S]*Before the training: model\.weights imagenet: resnet18-f37072fd/,
    );
    expect(armseg(["weights", "fetch", "resnet19"], cache).stderr).toMatch(/got "resnet19"/);
  });

  test("data check fails on a value outside the label map", () => {
    const text = readFileSync(join(folder, "armseg.yaml"), "utf8").replace(/\n *"10": class_10/, "");
    writeFileSync(join(folder, "broken.yaml"), text);
    const { status, stdout } = armseg(["data", "check", "broken.yaml"], withoutLibtorch);
    expect(status).toBe(1);
    expect(stdout).toMatch(/error: value outside the label map[\s\S]*Not fit to train on/);
  });

  test("data preview shows augmented samples", () => {
    const { status, stdout } = armseg(
      ["data", "preview", "armseg.yaml", "--set", "augmentation.crop=[48,64]", "--count", "2"],
      withoutLibtorch,
    );
    expect(stdout).toBe("Wrote preview.html.\n");
    expect(status).toBe(0);
  });

  test("config explain tells files, overrides and defaults apart", () => {
    const { stdout } = armseg(["config", "explain", "armseg.yaml", "--set", "loss.q=0.2"], withoutLibtorch);
    expect(stdout).toMatch(/^training\.batchSize +8 +armseg\.yaml:\d+$/m);
    expect(stdout).toMatch(/^loss\.q +0\.2 +--set$/m);
    expect(stdout).toMatch(/^loss\.gamma +2 +default$/m);
    const json = JSON.parse(armseg(["config", "explain", "armseg.yaml", "--json"], withoutLibtorch).stdout);
    expect(json).toContainEqual({ key: "loss.q", value: 0.1, origin: "default" });
  });

  test("an unknown key names the nearest one", () => {
    const { status, stderr } = armseg(
      ["config", "explain", "armseg.yaml", "--set", "training.batchsize=2"],
      withoutLibtorch,
    );
    expect(stderr).toMatch(/did you mean training\.batchSize\?/);
    expect(status).toBe(2);
  });

  test("data coarsen writes coarse labels and says how coarse they are", () => {
    const { status, stdout } = armseg(["data", "coarsen", "scenes/labels/all", "coarse"], withoutLibtorch);
    expect(stdout).toMatch(/covered/);
    expect(status).toBe(0);
    expect(existsSync(join(folder, "coarse/labels/scene_000000.png"))).toBe(true);
  });
});

test("summary tells a recipe's network without its data", () => {
  const recipe = fileURLToPath(
    new URL("../../../recipes/cityscapes-coarse-r101-deeplab-arm.yaml", import.meta.url),
  );
  const summary = JSON.parse(armseg(["summary", recipe, "--classes", "19", "--json"]).stdout);
  // With the auxiliary head, as mmsegmentation's.
  expect(summary).toMatchObject({ parameters: 62_582_006, logits: [2, 19, 128, 256] });
});

describe("a training from the command line", () => {
  const config = {
    name: "tiny",
    data: {
      format: "scenes",
      annotations: "coarse",
      scenes: { folder: "tiny-scenes", count: { train: 8, val: 2 }, size: [32, 64] },
    },
    model: { backbone: "resnet18", stem: "v1", outputStride: 32, headChannels: 16 },
    schedule: { iterations: 24 },
    augmentation: { crop: [32, 32] },
    training: { batchSize: 2, workers: 0, checkpointEvery: 12, evaluateEvery: 24 },
  };

  beforeAll(() => writeFileSync(join(folder, "tiny.yaml"), JSON.stringify(config)));

  test("Ctrl-C leaves a run that --resume continues; eval and predict use it", async () => {
    const child = spawn(process.execPath, [command, "train", "tiny.yaml"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stderr.on("data", (text) => {
      // The first line of progress says that the training runs.
      if (!errors.includes("train: ") && `${errors}${text}`.includes("train: ")) child.kill("SIGINT");
      errors += text;
    });
    const code = await new Promise((resolve) => child.on("exit", resolve));
    expect(errors).toMatch(/SIGINT: stopping in order/);
    expect(output).toMatch(
      /Stopped at iteration \d+ of 24\.\nContinue with: armseg train --resume runs\/tiny/,
    );
    expect(code).toBe(130);

    const again = armseg(["train", "tiny.yaml"]);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/already holds a run\. Continue it with --resume/);

    const resumed = armseg(["train", "--resume", "runs/tiny", "--json"]);
    expect(resumed.stderr).not.toMatch(/armseg: /);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ isComplete: true, iteration: 24 });

    const scores = JSON.parse(armseg(["eval", "runs/tiny", "--json"]).stdout);
    expect(scores).toMatchObject({ split: "val", images: 2 });
    expect(scores.metrics.mIoU).toBeCloseTo(JSON.parse(resumed.stdout).evaluation.mIoU, 6);

    const split = armseg(["eval", "runs/tiny", "--split-errors"]);
    expect(split.stdout).toMatch(
      /coarse label right .*\n.*wrong .*\n.*void, within 10 px of a border .*\n.*elsewhere/,
    );
    const coarse = ["--coarse", "tiny-scenes/coarse-labels/val/labels"];
    const { errorSplit } = JSON.parse(
      armseg(["eval", "runs/tiny", "--split-errors", ...coarse, "--json"]).stdout,
    );
    const { right, wrong, voidNearBorder, voidElsewhere } = errorSplit.groups;
    const pixels = right.pixels + wrong.pixels + voidNearBorder.pixels + voidElsewhere.pixels;
    expect(pixels).toBe(scores.metrics.pixels);

    const predicted = armseg([
      "predict",
      "runs/tiny",
      "tiny-scenes/fine/images/val",
      "--out",
      "out",
      "--overlay",
      "--confidence",
    ]);
    expect(predicted.stdout).toMatch(/^2 images at [\d.]+ per second, 6 files in out\n$/);
    expect(armseg(["predict", "runs/tiny", "tiny-scenes/fine/images/val", "--out", "out"]).status).toBe(1);
    expect(armseg(["submit", "runs/tiny", "cityscapes", "--out", "s"]).stderr).toMatch(
      /was trained on scenes/,
    );
  }, 180_000);
});
