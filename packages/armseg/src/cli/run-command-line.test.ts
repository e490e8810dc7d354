import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCommandLine } from "./run-command-line.ts";

let errors: string;
beforeEach(() => {
  errors = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [["tarin"], /unknown command 'tarin'[\s\S]*train/],
  [["train"], /missing required argument 'config'/],
  [["train", "a.yaml", "--sed", "1"], /unknown option '--sed'[\s\S]*--set/],
  [["train", "a.yaml", "b.yaml"], /several configurations are compared with --seeds/],
  [["train", "--resume", ".", "--set", "name=x"], /a resumed run keeps its configuration/],
  [["train", "--resume", ".", "--from", "a"], /leave out --from or --resume/],
  [["train", "--from", "nowhere"], /nowhere\/config\.yaml cannot be read/],
  [["train", "--seeds", "2"], /--seeds takes configuration files/],
  [["train", "--resume"], /--resume takes the folder of a run/],
  [
    ["data", "coarsen", "a", "b", "--preset", "lazy"],
    /Allowed choices are light, cityscapes, cityscapes-wrong, heavy/,
  ],
  [["bench", "loss", "--runs", "0"], /Expected an integer of at least 1/],
  [["bench", "step", "--device", "tpu"], /Allowed choices are cpu, cuda/],
  [["reproduce", "table1"], /name a budget with --preset: paper, camvid, scenes/],
  [["eval", "run", "--coarse", "masks"], /--coarse names labels for --split-errors/],
  [["data", "preview", "a.yaml", "--out", "a.png"], /Expected a name that ends in \.html/],
  [["predict", "run", "a.png"], /required option '--out <folder>' not specified/],
  [["config", "explain", "nowhere.yaml"], /nowhere\.yaml cannot be read/],
])("%j is wrong usage", async (args, message) => {
  expect(await runCommandLine(args)).toBe(2);
  expect(errors).toMatch(message);
  expect(errors).not.toMatch(/\n {4}at /);
});
