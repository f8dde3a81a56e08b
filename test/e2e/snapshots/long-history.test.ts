import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { exactDifferences } from "../../helpers/trees/exact-differences.ts";
import { EVERYTHING, equalFiles, pathsIn, rsyncLines } from "../../helpers/trees/tree-differences.ts";
import { HistoryLab, type HistoryOrder } from "./history-lab.ts";

/** More of them, from other seeds: `FANFOLD_HISTORIES=10 npx vitest run test/e2e/snapshots/long-history.test.ts` */
const HISTORIES = Number(process.env["FANFOLD_HISTORIES"] ?? 1);
const HISTORY_MS = 600_000;
/** Of all sessions, in how many somebody is killed. */
const BLOWS = 0.3;
/** One over the other: restores into one folder. */
const LAYERS = 4;
/** A restore is killed when it has told of so many entries at most; each state has more. */
const KILLED_AT_MAX = 20;

const seeds = (first: number) => Array.from({ length: HISTORIES }, (_, index) => first + index);

async function playHistory(order: HistoryOrder, sessions: number): Promise<void> {
  await using history = await HistoryLab.open(order);
  for (let session = 0; session < sessions; session += 1) await history.session(history.random.chance(BLOWS));
  expect(history.names).toHaveLength(sessions);
  await expectAllBack(history);
  await expectLayers(history);
  await expectOneFileBack(history);
}

/** Every state comes back by `cp -a`, and by `fanfold restore`; one restore is killed, and goes on. */
async function expectAllBack(history: HistoryLab): Promise<void> {
  const { lab, folder, names, random } = history;
  const [copied, restored] = [lab.path("copied"), lab.path("restored")];
  for (const path of [copied, restored]) mkdirSync(path);
  for (const name of names) execFileSync("cp", ["-a", "--", join(folder, name), copied]);
  await killRestore(history, random.pick(names), restored);
  for (const name of names) await restore(history, name, join(restored, name));
  for (const each of [copied, restored]) {
    expect(await history.differences(each)).toEqual([]);
    expect(await history.differencesBack(each)).toEqual([]);
    for (const name of names)
      expect(exactDifferences(join(folder, name), join(each, name), { but: ["other names", "room"] })).toEqual([]);
  }
}

async function killRestore(history: HistoryLab, name: string, restored: string): Promise<void> {
  const words = [...restoreWords(history, name, join(restored, name)), "--verbose"];
  const killed = history.lab.start<{ readonly type: "entry" }>(words);
  await killed.event("entry", { nth: history.random.between(1, KILLED_AT_MAX) });
  killed.signal("SIGKILL");
  // It may be done by then, and then it must not be refused to begin once more.
  if ((await killed.exit()) === 0) execFileSync("rm", ["-r", "--", join(restored, name)]);
}

/**
 * States that are restored one over the other: each is there, and what only others have stays. So a file cannot come where a
 * directory is that has something in it, and that is told.
 */
async function expectLayers(history: HistoryLab): Promise<void> {
  const to = history.lab.path("layers");
  const compared = EVERYTHING.filter((word) => word !== "--delete");
  for (const name of history.random.shuffled(history.names).slice(0, LAYERS)) {
    const reference = history.reference(name);
    const blocked = blockedIn(to, reference);
    const { status, stderr } = await history.lab.command([...restoreWords(history, name, to), "--overwrite"]);
    const wanted = blocked.map((path) => `${path}: not carried: a directory that is not empty is in its place`);
    const told = stderr.split("\n").filter((line) => line !== "");
    expect({ status, told: told.sort() }).toEqual({ status: blocked.length === 0 ? 0 : 3, told: wanted.sort() });
    const excludes = blocked.map((path) => `--exclude=/${path}`);
    expect(await rsyncLines([...compared, ...excludes, "--", `${reference}/`, `${to}/`])).toEqual([]);
  }
}

/** Paths of a tree that are no directories there, and directories with something in them in another one. */
function blockedIn(there: string, tree: string): string[] {
  return pathsIn(tree, [])
    .map(String)
    .filter((path) => !lstatSync(join(tree, path)).isDirectory())
    .filter((path) => existsSync(join(there, path)) && lstatSync(join(there, path)).isDirectory())
    .filter((path) => readdirSync(join(there, path)).length > 0);
}

async function expectOneFileBack(history: HistoryLab): Promise<void> {
  const { lab, folder, random } = history;
  const name = random.pick(history.names);
  const reference = history.reference(name);
  const files = pathsIn(reference, [])
    .map(String)
    .filter((each) => lstatSync(join(reference, each)).isFile());
  const path = random.pick(files);
  await restore(history, name, lab.path("one"), path);
  execFileSync("cp", ["-a", "--", join(folder, name, path), lab.path("one file")]);
  for (const back of [join(lab.path("one"), path), lab.path("one file")])
    expect(equalFiles(join(reference, path), back), path).toBe(true);
}

function restoreWords({ folder }: HistoryLab, name: string, to: string): string[] {
  return ["restore", `${folder}:${name}`, "--to", to];
}

async function restore(history: HistoryLab, name: string, to: string, ...words: string[]): Promise<void> {
  const { status, stderr } = await history.lab.command([...restoreWords(history, name, to), ...words]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

describe.runIf(programsAvailable("rsync"))("a folder that was fed again and again", { timeout: HISTORY_MS }, () => {
  test.each(seeds(101))("holds each of 30 states as it was, whoever was killed (embedded, seed %i)", async (seed) => {
    await playHistory({ seed, broker: "embedded", isGuarded: false }, 30);
  });

  test.each(seeds(201))("holds each of 6 states when all is sealed (seed %i)", async (seed) => {
    await playHistory({ seed, broker: "embedded", isGuarded: true }, 6);
  });

  test.runIf(brokersAvailable("nats")).each(seeds(301))("holds each of 30 states (NATS, seed %i)", async (seed) => {
    const { url, stop } = await startNats();
    try {
      await playHistory({ seed, broker: url, isGuarded: false }, 30);
    } finally {
      await stop();
    }
  });

  test.runIf(brokersAvailable("rabbit")).each(seeds(401))(
    "holds each of 4 states (RabbitMQ, sealed, seed %i)",
    async (seed) => {
      const { rootUrl, stop } = await shareRabbit();
      try {
        await playHistory({ seed, broker: rootUrl, isGuarded: true }, 4);
      } finally {
        await stop();
      }
    },
  );
});
