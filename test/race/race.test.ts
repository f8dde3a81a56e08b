import { expect, test } from "vitest";
import { raceDoor } from "./race-door.ts";
import { DEFECT, raceSessions } from "./race-session.ts";
import { raceSource } from "./race-source.ts";

const TIMES = 5;
const SESSIONS = 3;
const RACE_MS = 120_000;

test.skipIf(process.platform !== "linux")(
  "no operation of the door leads out of the folder while its directories are swapped for links",
  { timeout: RACE_MS },
  async () => {
    const race = await raceDoor("linux", ({ tallies }) =>
      [...tallies.values()].every(({ done, refused }) => done >= TIMES && refused >= TIMES),
    );
    expect(race.harm).toBeUndefined();
    expect(race.swaps).toBeGreaterThan(100);
  },
);

test.skipIf(process.platform !== "linux")(
  "the same race is lost where directories cannot be pinned: it is one that can be lost",
  { timeout: RACE_MS },
  async () => {
    const race = await raceDoor("darwin", () => false);
    expect(race.harm).toBeDefined();
  },
);

test.skipIf(process.platform !== "linux")(
  "sessions into a folder whose directories are swapped for links touch nothing elsewhere",
  { timeout: RACE_MS },
  async () => {
    const race = await raceSessions(({ sessions }) => sessions >= SESSIONS);
    expect(race.harm).toBeUndefined();
    expect(Object.keys(race.outcomes).filter((outcome) => outcome.includes(DEFECT))).toEqual([]);
    expect(race.swaps).toBeGreaterThan(100);
  },
);

test.skipIf(process.platform !== "linux")(
  "nothing elsewhere is walked or read by a source while its directories are swapped for links",
  { timeout: RACE_MS },
  async () => {
    const race = await raceSource("linux", ({ tally }) => Object.values(tally).every((count) => count >= TIMES));
    expect(race.harm).toBeUndefined();
    expect(race.swaps).toBeGreaterThan(100);
  },
);

test.skipIf(process.platform !== "linux")(
  "a source loses the same race where directories cannot be pinned",
  { timeout: RACE_MS },
  async () => {
    const race = await raceSource("darwin", () => false);
    expect(race.harm).toBeDefined();
  },
);
