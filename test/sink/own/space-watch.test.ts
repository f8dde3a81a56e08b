import { describe, expect, onTestFinished, test } from "vitest";
import { SpaceWatch } from "../../../src/sink/own/space-watch.ts";
import { tempFolder } from "../../helpers/brokers/broker-process.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const MIB = 1024 * 1024;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("SpaceWatch", () => {
  test("finds what the file system of a folder has", async () => {
    const { path, remove } = await tempFolder("space");
    onTestFinished(remove);
    const watch = new SpaceWatch({ folder: Buffer.from(path), clock: handClock() });
    expect(watch.space).toBeUndefined();
    await watch.look();
    const { freeBytes = 0, sizeBytes = 0 } = watch.space ?? {};
    expect(freeBytes).toBeGreaterThan(0);
    expect(sizeBytes).toBeGreaterThanOrEqual(freeBytes);
  });

  test("tells news within 10 s, other things within a minute, and nothing twice", async () => {
    const clock = handClock();
    let freeBytes = 100 * MIB;
    const look = async () => ({ freeBytes, sizeBytes: 200 * MIB });
    const watch = new SpaceWatch({ folder: Buffer.from("/"), clock, look });
    await watch.look();
    const told: number[] = [];
    using _ = watch.watch((space) => told.push(space.freeBytes));
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 10_000) {
        clock.advance(10_000);
        await turn();
      }
    };
    await pass(50_000);
    expect(told).toEqual([]);
    await pass(10_000);
    expect(told).toEqual([100 * MIB]);
    freeBytes -= 1;
    await pass(10_000);
    expect(told).toHaveLength(1);
    freeBytes -= MIB;
    await pass(10_000);
    expect(told).toEqual([100 * MIB, 99 * MIB - 1]);
  });

  test("looks when it is told to, and tells only news", async () => {
    const clock = handClock();
    let freeBytes = 100 * MIB;
    const watch = new SpaceWatch({
      ...{ folder: Buffer.from("/"), clock },
      look: async () => ({ freeBytes, sizeBytes: 200 * MIB }),
    });
    await watch.look();
    const told: number[] = [];
    {
      using _ = watch.watch((space) => told.push(space.freeBytes));
      await watch.lookAndTell();
      expect(told).toEqual([]);
      freeBytes -= 10 * MIB;
      await watch.lookAndTell();
      expect(told).toEqual([90 * MIB]);
      freeBytes -= 10 * MIB;
    }
    await watch.lookAndTell();
    expect(told).toEqual([90 * MIB]);
  });

  test("asks a disk that hangs no second time, and goes on when it answers", async () => {
    const clock = handClock();
    let asked = 0;
    let answer: () => void = () => undefined;
    const look = async () => {
      asked += 1;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      throw new Error("the disk is gone");
    };
    const watch = new SpaceWatch({ folder: Buffer.from("/"), clock, look });
    using _ = watch.watch(() => expect.unreachable());
    clock.advance(50_000);
    expect(asked).toBe(1);
    answer();
    await turn();
    clock.advance(10_000);
    expect(asked).toBe(2);
  });
});
