#!/usr/bin/env node
import { setupCommand } from "../dist/setup/command-line.js";

const [command, ...args] = process.argv.slice(2);
if (command === "setup") {
  await setupCommand(args, "npx @armseg/torch setup");
} else {
  process.stdout.write("npx @armseg/torch setup --help\n");
  process.exitCode = command === undefined || command === "--help" ? 0 : 2;
}
