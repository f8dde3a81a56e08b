import { parseArgs } from "node:util";
import { type DoorRace, raceDoor } from "./race-door.ts";
import { DEFECT, raceSessions } from "./race-session.ts";
import { raceSource } from "./race-source.ts";

const HELP = `npm run test:race -- [--minutes N]

A third of the time, every operation of the door to a sink's disk, again and again, while another process swaps the
directories under it for links; a third, the walk and the reading of a source over such a directory; and a third, whole sessions
into such a folder. A tree elsewhere must stay as it is, and nothing of it may be read, and no session may end as
a defect of fanfold.
`;
const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, help: { type: "boolean", short: "h", default: false } },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const thirdMs = Number(values.minutes) * 20_000;
  const door = await raceDoor(process.platform, until(thirdMs));
  process.stdout.write(`door: ${door.rounds} rounds, ${door.swaps} swaps\n`);
  tell(door);
  const source = await raceSource(process.platform, until(thirdMs));
  const { walked, walkRefused, read, readRefused } = source.tally;
  process.stdout.write(
    `source: ${source.rounds} rounds, ${source.swaps} swaps; directories: ${walked} walked, ${walkRefused} refused; files: ${read} read, ${readRefused} refused\n`,
  );
  const sessions = await raceSessions(until(thirdMs));
  const outcomes = Object.entries(sessions.outcomes).map(([outcome, count]) => `${outcome} ${count}`);
  process.stdout.write(`sessions: ${sessions.sessions}, ${sessions.swaps} swaps; sinks: ${outcomes.join(", ")}\n`);
  const defects = Object.keys(sessions.outcomes).filter((outcome) => outcome.includes(DEFECT));
  const harms = [door.harm, source.harm, sessions.harm, ...defects].filter((harm) => harm !== undefined);
  for (const harm of harms) process.stdout.write(`HARM ${harm}\n`);
  process.stdout.write(harms.length === 0 ? "nothing elsewhere was touched or read\n" : "");
  return harms.length === 0 ? 0 : 1;
}

function until(ms: number): () => boolean {
  const endMs = performance.now() + ms;
  return () => performance.now() > endMs;
}

function tell({ tallies }: DoorRace): void {
  for (const [name, { done, refused, other }] of tallies)
    process.stdout.write(`  ${name.padEnd(52)} ${done} done, ${refused} met a link, ${other} met something else\n`);
}
