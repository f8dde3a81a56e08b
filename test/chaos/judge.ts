import { existsSync, readdirSync, realpathSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { programsAvailable } from "../helpers/processes/programs.ts";
import { partialsIn, rsyncDifferences, treeDifferences } from "../helpers/trees/tree-differences.ts";
import { type Cast, type SinkPart, type SourcePart, summaryOf } from "./cast.ts";
import type { ChaosBroker } from "./chaos-broker.ts";
import type { Scenario } from "./scenario.ts";

const BROKER_TRIES = 20;
const BROKER_WAIT_MS = 250;
const SIGTERM_STATUS = 143;
const SHOWN_DIFFERENCES = 10;

interface Judged extends Pick<Scenario, "isGuarded" | "keep"> {
  readonly bytesPublished: number;
  readonly bytesBound: number;
}

/** What is not as it must be after a copy; empty when everything is. */
export async function judge(
  cast: Cast,
  broker: ChaosBroker,
  { bytesPublished, bytesBound, isGuarded, keep }: Judged,
): Promise<string[]> {
  const { source, sinks, coordinator, from, folders, temporary } = cast;
  const problems: string[] = [];
  for (const { name, status, lives } of [source, ...sinks])
    if (lives.length > 0 && status !== 0) problems.push(`The ${name} ended with ${status}, wanted 0`);
  if (coordinator.status !== SIGTERM_STATUS) problems.push(`The coordinator ended with ${coordinator.status}`);
  const summary = summaryOf(source);
  if (summary === undefined) problems.push("The source told no summary");
  else {
    if (summary.result !== "complete" && summary.result !== "unchanged") problems.push(`Result "${summary.result}"`);
    for (const { name, outcome, digest, message, caughtUp } of summary.sinks) {
      if (outcome !== "proven" && outcome !== "complete") problems.push(`${name}: ${outcome}: ${message}`);
      // A lane is a pass of its own, whose digest tells apart what was read for it and what the sink had.
      else if (!caughtUp && digest !== summary.digest) problems.push(`${name} proved another digest`);
    }
  }
  if (isGuarded) problems.push(...unsealed([source, ...sinks]));
  if (bytesPublished > bytesBound)
    problems.push(`${bytesPublished} bytes were published, at most ${bytesBound} are justified`);
  for (const [index, folder] of folders.entries()) {
    if (sinks[index]?.lives.length === 0) continue;
    const copy = keep === undefined ? folder : realpathSync(`${folder}/latest`);
    problems.push(...(await differences(from, copy)).map((text) => `sink ${index}: ${text}`));
    problems.push(...leftIn(folder).map((name) => `sink ${index}: left in .fanfold/partial: ${name}`));
  }
  problems.push(...readdirSync(temporary).map((name) => `Left in the folder for temporary files: ${name}`));
  problems.push(...(await leftAtBroker(broker)).map((name) => `Left at the broker: ${name}`));
  return problems;
}

/** Copies that began in the open where tokens are asked for. */
function unsealed(parts: readonly (SourcePart | SinkPart)[]): string[] {
  const lives = parts.flatMap(({ name, lives: all }) => all.map((life) => ({ name, events: life.events })));
  return lives.flatMap(({ name, events }) =>
    events.some((event) => event.type === "started" && event.sealed !== true)
      ? [`A copy of the ${name} is not sealed`]
      : [],
  );
}

async function differences(from: string, folder: string): Promise<string[]> {
  const rsync = programsAvailable("rsync");
  const found = [
    ...(rsync ? await rsyncDifferences(from, folder) : []),
    ...treeDifferences(from, folder, { content: !rsync }),
  ];
  return found.length > SHOWN_DIFFERENCES ? [...found.slice(0, SHOWN_DIFFERENCES), `… ${found.length} in all`] : found;
}

function leftIn(folder: string): string[] {
  return existsSync(`${folder}/.fanfold/partial`) ? partialsIn(folder) : [];
}

/**
 * A broker takes a moment to notice that a client has gone. A coordinator that is stopped before it has reached its broker
 * again deletes nothing there, and what it leaves expires.
 */
async function leftAtBroker(broker: ChaosBroker): Promise<string[]> {
  let left = await broker.leftOvers();
  for (let tries = 0; left.length > 0 && tries < BROKER_TRIES; tries += 1) {
    await delay(BROKER_WAIT_MS);
    if (tries === BROKER_TRIES / 2) await broker.expire();
    left = await broker.leftOvers();
  }
  return left;
}
