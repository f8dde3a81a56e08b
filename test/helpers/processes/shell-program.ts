import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { tempFolder } from "../brokers/broker-process.ts";

/** A program of these lines, in a folder of its own, and what it is run with. */
export async function shellProgram(...lines: readonly string[]) {
  const { path: folder, remove } = await tempFolder("on-end");
  onTestFinished(remove);
  const program = join(folder, "a program; touch nothing");
  writeFileSync(program, ["#!/bin/sh", `cd '${folder}'`, ...lines, ""].join("\n"));
  chmodSync(program, 0o755);
  const environment = { PATH: process.env["PATH"], FANFOLD_TOKEN: "ff1_admin_secret", HOME: "/home" };
  return { folder, options: { program, environment, clock: systemClock } };
}
