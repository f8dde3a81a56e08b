import { spawnSync } from "node:child_process";
import { lstatSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinDevice, splitDevice } from "../../../src/lib/disk/device-numbers.ts";

test("numbers of a device are joined and split without loss", () => {
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(number, number, (major, minor) => {
      expect(splitDevice(joinDevice({ major, minor }))).toEqual({ major, minor });
    }),
  );
});

test.skipIf(process.platform !== "linux")("they are those that the system shows", () => {
  const shown = spawnSync("stat", ["-c", "%t %T", "/dev/null"], { encoding: "utf8" }).stdout.trim().split(" ");
  const [major, minor] = shown.map((hex) => Number.parseInt(hex, 16));
  expect(splitDevice(lstatSync("/dev/null", { bigint: true }).rdev)).toEqual({ major, minor });
});
