import { distributed } from "@armseg/torch";
import { describe, expect, test } from "vitest";
import { launch } from "./launch.ts";

type Numbers = Record<string, number[]>;

const hasGloo = distributed.processGroupDevices().includes("cpu");

describe.skipIf(!hasGloo)("processes joined by Gloo", () => {
  test.each([2, 4])(
    "%i of them have the gradients and running statistics of one process on the whole batch",
    async (size) => {
      const [alone] = await launch<Numbers>("process.mjs", 1);
      const ranks = await launch<Numbers>("process.mjs", size);
      for (const [name, expected] of Object.entries(alone as Numbers)) {
        const scale = Math.max(...expected.map(Math.abs), 1e-3);
        for (const rank of ranks) {
          const error = Math.max(
            ...expected.map((value, i) => Math.abs((rank[name]?.[i] as number) - value)),
          );
          expect(error / scale, name).toBeLessThan(1e-5);
        }
      }
    },
  );

  test("gather, broadcast and reduce", async () => {
    for (const rank of await launch<Numbers>("process.mjs", 2)) {
      expect(rank.gathered).toEqual([1, 1, 2, 2]);
      expect(rank.broadcast).toEqual([2, 2]);
      expect(rank.reduced).toEqual([2, 2]);
    }
  });
});

describe("the rendezvous of a process", () => {
  const { rendezvousFromEnvironment } = distributed;
  const torchrun = { RANK: "3", WORLD_SIZE: "4", LOCAL_RANK: "1", MASTER_ADDR: "host", MASTER_PORT: "29500" };

  test("as torchrun writes it", () => {
    const rendezvous = { rank: 3, worldSize: 4, localRank: 1, masterAddress: "host", masterPort: 29500 };
    expect(rendezvousFromEnvironment(torchrun)).toEqual(rendezvous);
  });

  test("as Slurm writes it", () => {
    const slurm = { SLURM_PROCID: "5", SLURM_NTASKS: "8", SLURM_LOCALID: "1" };
    expect(rendezvousFromEnvironment(slurm)).toBeNull(); // any job has these
    expect(rendezvousFromEnvironment({ ...slurm, MASTER_ADDR: "host", MASTER_PORT: "1" })).toMatchObject({
      rank: 5,
      worldSize: 8,
      localRank: 1,
    });
  });

  test("a process on its own has none", () => {
    expect(rendezvousFromEnvironment({})).toBeNull();
    expect(rendezvousFromEnvironment({ ...torchrun, RANK: "0", WORLD_SIZE: "1" })).toBeNull();
  });

  test("what is missing or makes no sense is named", () => {
    expect(() => rendezvousFromEnvironment({ ...torchrun, MASTER_PORT: undefined })).toThrow(
      /expected MASTER_PORT beside MASTER_ADDR/,
    );
    expect(() => rendezvousFromEnvironment({ ...torchrun, RANK: "4" })).toThrow(
      /RANK below WORLD_SIZE, which is 4, got 4/,
    );
    expect(() => rendezvousFromEnvironment({ ...torchrun, WORLD_SIZE: "two" })).toThrow(/WORLD_SIZE.*"two"/);
  });
});
