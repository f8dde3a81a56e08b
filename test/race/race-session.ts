import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FanfoldError, openCoordinator, runSink, runSource } from "../../src/index.ts";
import type { ErrorCode } from "../../src/lib/errors.ts";
import { OWN_FILES } from "./door-operations.ts";
import { RaceLab } from "./race-lab.ts";

export interface SessionRace {
  readonly sessions: number;
  readonly swaps: number;
  /** How often each outcome of the sink came: `proven`, `incomplete`, or the code it failed with. A defect is told with its text. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What happened elsewhere; undefined when nothing did. */
  readonly harm: string | undefined;
}

const DIRECTORIES = ["a", "a/b", "a/b/c", "a/d", "a/d/e"];
const FILES_EACH = 12;
const LARGE_BYTES = 300_000;
const SESSION_MS = 60_000;
/** No race may end in one: what a local user does to the folder has codes of its own. */
export const DEFECT: ErrorCode = "internal";

/** Whole sessions, one after another, into a folder whose directories are swapped for links, until `isOver` says so. */
export async function raceSessions(
  isOver: (race: Omit<SessionRace, "swaps" | "harm">) => boolean,
): Promise<SessionRace> {
  using lab = new RaceLab([...DIRECTORIES.flatMap((path) => names().map((name) => `${path}/${name}`)), ...OWN_FILES]);
  const tree = lab.path("source");
  for (const path of DIRECTORIES) mkdirSync(join(lab.folder, path), { recursive: true });
  mkdirSync(join(lab.folder, ".fanfold/partial"), { recursive: true });
  const stop = new AbortController();
  const coordinator = await openCoordinator({ port: 0, stateDir: lab.path("coordinator"), signal: stop.signal });
  const attack = await lab.attack([...DIRECTORIES, ".fanfold", ".fanfold/partial"]);
  const outcomes: Record<string, number> = {};
  let [sessions, swaps]: [number, number] = [0, 0];
  let harm: string | undefined;
  try {
    while (harm === undefined && !isOver({ sessions, outcomes })) {
      changeTree(tree, sessions);
      const outcome = await runSession(lab, `localhost:${coordinator.port}`, tree);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      sessions += 1;
      harm = lab.harm();
    }
  } finally {
    swaps = await attack.stop();
    await coordinator.close();
  }
  return { sessions, swaps, outcomes, harm: harm ?? lab.harm() };
}

function names(): string[] {
  return [...Array.from({ length: FILES_EACH }, (_, index) => `f${index}`), "large", "link", "gone", "second"];
}

/** Another content, size and time for each file; one file comes and goes, and one name changes its kind. */
function changeTree(tree: string, round: number): void {
  for (const path of DIRECTORIES) {
    const folder = join(tree, path);
    mkdirSync(folder, { recursive: true });
    for (let index = 0; index < FILES_EACH; index += 1) writeFileSync(join(folder, `f${index}`), `${round} ${index}`);
    writeFileSync(join(folder, "large"), Buffer.alloc(LARGE_BYTES + round, round));
    rmSync(join(folder, "link"), { recursive: true, force: true });
    if (round % 2 === 0) symlinkSync(`f${round % FILES_EACH}`, join(folder, "link"));
    else mkdirSync(join(folder, "link"));
    rmSync(join(folder, "second"), { force: true });
    linkSync(join(folder, `f${round % FILES_EACH}`), join(folder, "second"));
    rmSync(join(folder, "gone"), { force: true });
    if (round % 2 === 0) writeFileSync(join(folder, "gone"), "");
    utimesSync(folder, round, round);
  }
}

function told({ code, stack }: FanfoldError): string {
  return code === DEFECT ? `${DEFECT} (${stack})` : code;
}

/** How the sink ended. It may well fail: its folder is not what it was. */
async function runSession(lab: RaceLab, address: string, tree: string): Promise<string> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(SESSION_MS)]);
  const sink = runSink({ coordinator: address, folder: lab.folder, acceptNewSource: true, signal });
  const deletion = { kind: "percent", value: 100 } as const;
  const source = runSource({ coordinator: address, folder: tree, stateDir: lab.path("state"), deletion, signal });
  const outcome = sink.result.then(
    ({ outcome }) => outcome,
    (thrown) => told(FanfoldError.from(thrown)),
  );
  const over = source.result.then(
    () => undefined,
    (thrown) => told(FanfoldError.from(thrown)),
  );
  const said = await Promise.race([outcome, over.then(() => outcome)]);
  // A sink that could not begin leaves a source that waits for one.
  if (said !== "proven" && said !== "complete" && said !== "incomplete") source.cancel();
  stop.abort(new FanfoldError("interrupted", "The race goes on with another session"));
  const ofSource = await over;
  return ofSource?.startsWith(DEFECT) === true ? `source: ${ofSource}` : said;
}
