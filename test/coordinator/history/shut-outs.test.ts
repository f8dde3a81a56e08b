import { expect, test } from "vitest";
import { ShutOuts } from "../../../src/coordinator/history/shut-outs.ts";
import { openStateDatabase } from "../../../src/coordinator/history/state-database.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const HOUR_MS = 3_600_000;
const start = Date.parse("2026-12-01T10:00:00Z");
const after = (hours: number) => new Date(start + hours * HOUR_MS);

test("who was shut out is known to the next process, once, for a day", async () => {
  const folder = tempFolder();
  const first = await openStateDatabase(folder, after(0));
  const shutOuts = new ShutOuts(first);
  expect(shutOuts.all(after(0))).toEqual([]);
  shutOuts.add("a", after(0));
  shutOuts.add("b", after(1));
  shutOuts.add("a", after(2));
  first.close();
  const second = await openStateDatabase(folder, after(3));
  const kept = new ShutOuts(second);
  expect(kept.all(after(3))).toEqual([
    { identity: "b", at: after(1) },
    { identity: "a", at: after(2) },
  ]);
  expect(kept.all(after(25.5))).toEqual([{ identity: "a", at: after(2) }]);
  second.close();
});

test("beyond the bound the oldest is forgotten", async () => {
  const database = await openStateDatabase(tempFolder(), after(0));
  const shutOuts = new ShutOuts(database);
  const many = Array.from({ length: 4096 }, (_, index) => [`m${index}`, after(0)]);
  database.prepare("INSERT INTO facts (name, value) VALUES ('shut-out', ?)").run(JSON.stringify(many));
  shutOuts.add("new", after(1));
  const all = shutOuts.all(after(1));
  expect([all.length, all[0]?.identity, all.at(-1)?.identity]).toEqual([4096, "m1", "new"]);
  database.close();
});

test("one whose time is later than the clock pushes out no other", async () => {
  const database = await openStateDatabase(tempFolder(), after(0));
  const shutOuts = new ShutOuts(database);
  shutOuts.add("a", after(0));
  shutOuts.add("b", after(30), after(1));
  expect(shutOuts.all(after(1)).map(({ identity }) => identity)).toEqual(["a", "b"]);
  database.close();
});
