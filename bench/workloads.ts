import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { BIG_BYTES, buildBig, buildTiny, TINY } from "./workloads/generated.ts";
import { buildMixed, buildText, MIXED, TEXT } from "./workloads/machine-files.ts";

export const WORKLOADS = ["big", "mixed", "tiny", "nochange", "text"] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** What a workload turned out to be. */
export interface Workload {
  readonly name: WorkloadName;
  readonly folder: string;
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
}

interface Recipe {
  /** Bytes that it takes, about: each copy takes as much again. */
  readonly bytes: number;
  readonly build: (folder: string, scale: number) => void;
}

const MIXED_RECIPE: Recipe = { bytes: MIXED.bytes, build: buildMixed };
const RECIPES: Readonly<Record<WorkloadName, Recipe>> = {
  big: { bytes: BIG_BYTES, build: buildBig },
  mixed: MIXED_RECIPE,
  tiny: { bytes: TINY.files * TINY.bytesMax, build: buildTiny },
  nochange: MIXED_RECIPE,
  text: { bytes: TEXT.bytes, build: buildText },
};

/** Bytes that the workload takes, about: each copy takes as much again. */
export function expectedBytes(name: WorkloadName, scale: number): number {
  return RECIPES[name].bytes * scale;
}

/** Builds a workload in a new folder: on one machine the same one every time, for the same scale. */
export function buildWorkload(name: WorkloadName, folder: string, scale: number): Workload {
  mkdirSync(folder);
  RECIPES[name].build(folder, scale);
  const counts = { files: 0, directories: 0, links: 0, bytes: 0 };
  count(Buffer.from(folder), counts);
  return { name, folder, ...counts };
}

function count(directory: Buffer, counts: { files: number; directories: number; links: number; bytes: number }): void {
  counts.directories += 1;
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) count(path, counts);
    else if (entry.isSymbolicLink()) counts.links += 1;
    else {
      counts.files += 1;
      counts.bytes += lstatSync(path).size;
    }
  }
}
