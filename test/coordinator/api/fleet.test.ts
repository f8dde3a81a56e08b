import { expect, onTestFinished, test } from "vitest";
import { Fleet } from "../../../src/coordinator/api/fleet.ts";
import { HistoryNumbers } from "../../../src/coordinator/api/metric-facts.ts";
import { SinkStore } from "../../../src/coordinator/history/sink-store.ts";
import { openStore } from "../../../src/coordinator/history/store.ts";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { type Receipt, signReceipt } from "../../../src/protocol/messages/receipt.ts";
import { stateFolder } from "../coordinator-fixture.ts";

const START = Date.UTC(2026, 10, 28);
const connected = () => new Set<string>();
const KEY = new SigningKey("7".padStart(64, "0"));

/** A history to which sessions of one sink are added, an hour apart. */
async function historyOf() {
  const store = await openStore(await stateFolder(), new Date(START));
  onTestFinished(() => store.close());
  const { database } = store;
  let count = 0;
  const add = (outcome: Receipt["outcome"] | undefined, result: string): string => {
    count += 1;
    const id = String(count).padStart(12, "0");
    const at = new Date(START + count * 3_600_000).toISOString();
    const summary = { bytes: 10, bytesSent: 7, bytesSentAgain: 2, bytesCaughtUp: 1, problemCount: 0, elapsedMs: 500 };
    const insert = `INSERT INTO sessions (id, name, epoch, state, opened, started, ended, result, summary)
      VALUES (?, 'photos', 1, 'ended', ?, ?, ?, ?, ?)`;
    database.prepare(insert).run(id, at, at, at, result, JSON.stringify(summary));
    const told = { session: "photos", sessionId: id, epoch: 1, source: "a".repeat(64), name: "attic", problemCount: 0 };
    const copied = { digest: "b".repeat(64), filesDone: 3, bytesDone: 10, fidelity: {}, provenAt: at };
    const receipt =
      outcome === undefined ? null : signReceipt({ ...told, ...copied, outcome, durability: "session" }, KEY);
    const member = `INSERT INTO members (session_id, member_id, role, name, identity, stay, needed, dry_run, epoch, receipt)
      VALUES (?, 'a', 'sink', 'attic', ?, 0, 0, 0, 1, ?)`;
    database.prepare(member).run(id, KEY.publicKey, receipt);
    return id;
  };
  return { database, add };
}

test("a sink's newest snapshot is that of its latest copy which was not dropped", async () => {
  const { database, add } = await historyOf();
  const fleet = new Fleet({ database, admitted: undefined, connected });
  const told = (id: string, changes: object): void => {
    const summary = JSON.stringify({ sinks: [{ sinkId: "a", ...changes }], ...changes });
    database.prepare("UPDATE sessions SET summary = ? WHERE id = ?").run(summary, id);
  };
  const [monday, tuesday, wednesday] = [23, 24, 25].map((day) => `2026-11-${day}T02-30-00Z`);
  told(add("proven", "complete"), { snapshot: { name: monday, made: true } });
  expect(fleet.sinks()[0]?.snapshot).toEqual({ session: "photos", name: monday });
  told(add("proven", "complete"), { snapshot: { name: tuesday, made: true, kept: 2 } });
  told(add("proven", "complete"), { commit: "dropped", snapshot: { name: wednesday, made: true, kept: 3 } });
  told(add("incomplete", "failed"), {});
  for (const each of [fleet, new Fleet({ database, admitted: undefined, connected })])
    expect(each.sinks()[0]?.snapshot).toEqual({ session: "photos", name: tuesday, kept: 2 });
});

test("a sink's last proof is its latest copy that lacks nothing, whatever came after it", async () => {
  const { database, add } = await historyOf();
  const fleet = new Fleet({ database, admitted: undefined, connected });
  expect(fleet.sinks()).toEqual([]);
  const last = () =>
    fleet.sinks().map(({ key, lastCopy, lastProof }) => [key, lastCopy?.sessionId, lastProof?.sessionId]);
  const first = add("incomplete", "incomplete");
  expect(last()).toEqual([[KEY.publicKey, first, undefined]]);
  add("proven", "complete");
  const third = add("complete", "unchanged");
  const fourth = add("incomplete", "incomplete");
  add(undefined, "failed");
  expect(last()).toEqual([[KEY.publicKey, fourth, third]]);
  // Read at once, or one after the other: it is the same.
  expect(new Fleet({ database, admitted: undefined, connected }).sinks()).toEqual(fleet.sinks());
  const sixth = add("incomplete", "incomplete");
  expect(last()).toEqual([[KEY.publicKey, sixth, third]]);
  // Those that were removed are no part of the fleet, whatever they have proven.
  expect(new Fleet({ database, admitted: () => [], connected }).sinks()).toEqual([]);
});

test("sessions are counted once each, from the start on, and a dry run is nobody's last", async () => {
  const { database, add } = await historyOf();
  add("proven", "complete");
  const numbers = new HistoryNumbers(database, new Date(START + 2 * 3_600_000));
  expect(numbers.facts()).toMatchObject({ bytesSent: 0, named: [{ lastResult: "complete" }] });
  add("proven", "complete");
  add("incomplete", "incomplete");
  add(undefined, "dry-run");
  for (const _ of [1, 2]) {
    const { named, endedByResult, bytesSent } = numbers.facts();
    expect([...endedByResult].sort()).toEqual([
      ["complete", 1],
      ["dry-run", 1],
      ["incomplete", 1],
    ]);
    expect(bytesSent).toBe(30);
    expect(named).toEqual([
      {
        session: "photos",
        lastEndSeconds: START / 1000 + 3 * 3600,
        lastResult: "incomplete",
        lastProvenSeconds: START / 1000 + 2 * 3600,
        lastDurationSeconds: 0.5,
        lastBytes: 10,
        lastProblems: 0,
      },
    ]);
  }
});

test("a sink is known with what it said last of its machine, and whether it is here", async () => {
  const { database, add } = await historyOf();
  const said = new SinkStore(database);
  const here = new Set<string>();
  const fleet = new Fleet({ database, admitted: undefined, connected: () => here });
  const at = new Date(START);
  const space = { freeBytes: 5, sizeBytes: 20 };
  said.said({ key: KEY.publicKey, name: "cellar", software: "fanfold 1.2.3", ...space }, at);
  const machine = { software: "fanfold 1.2.3", ...space, said: at.toISOString() };
  expect(fleet.sinks()).toEqual([{ key: KEY.publicKey, name: "cellar", connected: false, ...machine }]);
  here.add(KEY.publicKey);
  const copy = add("proven", "complete");
  const later = new Date(START + 60_000);
  said.said({ key: KEY.publicKey, freeBytes: 4, sizeBytes: 20 }, later);
  expect(fleet.sinks()).toMatchObject([
    { name: "cellar", connected: true, freeBytes: 4, said: later.toISOString(), lastProof: { sessionId: copy } },
  ]);
  expect(fleet.sinks()[0]).not.toHaveProperty("software");
});
