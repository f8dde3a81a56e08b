import { cpSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { type GuardedCoordinator, startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy, expectProven } from "../e2e/copying.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { everyForm, FILE_BYTES, makeCanaryTree, TREE_TEXTS } from "./canaries.ts";
import { type RelayFrame, type RelayMiddle, startRelayMiddle, type Tamper } from "./relay-middle.ts";

const pass: Tamper = (frame) => [frame];

interface Path {
  readonly lab: CliLab;
  readonly coordinator: GuardedCoordinator;
  readonly middle: RelayMiddle;
  readonly from: string;
  readonly to: readonly string[];
  /** Sinks that wait, and then a source, with the tokens that they need. */
  start(sourceArgs?: readonly string[]): Promise<{
    readonly source: ReturnType<CliLab["source"]>;
    readonly sinks: ReturnType<CliLab["sink"]>[];
  }>;
}

/** A guarded coordinator whose members all reach it through somebody on the path. */
async function pathThrough(lab: CliLab, tamper: Tamper): Promise<Path> {
  const coordinator = await startGuarded(lab);
  const middle = await startRelayMiddle(coordinator.port, tamper);
  onTestFinished(() => middle.close());
  const from = lab.path("source");
  makeCanaryTree(from);
  const to = ["one", "two"].map((name) => lab.path(name));
  const address = `127.0.0.1:${middle.port}`;
  const start = async (sourceArgs: readonly string[] = []) => {
    const env = async (role: "source" | "sink") => ({ env: { FANFOLD_TOKEN: await coordinator.token(role) } });
    const [forSource, forSink] = [await env("source"), await env("sink")];
    const sinks = to.map((folder) => lab.sink(address, folder, [], forSink));
    await Promise.all(sinks.map((sink) => sink.event("waiting")));
    const source = lab.source(address, from, ["--dest-count", "2", ...sourceArgs], forSource);
    return { source, sinks };
  };
  return { lab, coordinator, middle, from, to, start };
}

/** All tickets that are valid at this moment. The coordinator has its files to itself, so they are copied. */
function ticketsOf(lab: CliLab, { stateDir }: GuardedCoordinator): string[] {
  const copy = lab.path("looked-at");
  cpSync(stateDir, copy, { recursive: true });
  using database = new DatabaseSync(join(copy, "coordinator.db"));
  const rows = database.prepare("SELECT ticket FROM members WHERE ticket IS NOT NULL").all();
  return rows.map(({ ticket }) => String(ticket));
}

function isData(frame: RelayFrame): frame is Extract<RelayFrame, { payload: Buffer }> {
  return "payload" in frame;
}

function changed(payload: Buffer, at: number): Buffer {
  const other = Buffer.from(payload);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

/** What somebody on the path does to the frames of a sealed session, and the copies are proven all the same. */
const BORNE: Readonly<Record<string, () => Tamper>> = {
  "puts a changed one before each message": () => (frame) =>
    isData(frame) && frame.payload.length > 0
      ? [{ ...frame, payload: changed(frame.payload, frame.payload.length >> 1) }, frame]
      : [frame],
  "puts one of his own making before each message": () => (frame) =>
    isData(frame)
      ? [{ ...frame, payload: Buffer.concat([frame.payload.subarray(0, 40), Buffer.alloc(200, 1)]) }, frame]
      : [frame],
  "changes the header of each fourth message": () => {
    let count = 0;
    return (frame) => {
      if (!isData(frame)) return [frame];
      count += 1;
      return [count % 4 === 0 ? { ...frame, payload: changed(frame.payload, 27) } : frame];
    };
  },
  "says each message twice, and the first ones again and again": () => {
    const first: RelayFrame[] = [];
    return (frame) => {
      if (!isData(frame)) return [frame];
      if (first.length < 6) first.push(frame);
      return [frame, frame, ...first.filter((each) => isData(each) && each.op === frame.op && each.id === frame.id)];
    };
  },
  "tells of losses that never were": () => (frame) =>
    frame.op === "msg" ? [frame, { op: "lost", id: frame.id, messages: 2 ** 40, bytes: 2 ** 47 }] : [frame],
  "subscribes once more for each that subscribes, and answers pings that were not sent": () => (frame, from) => {
    if (from === "relay") return frame.op === "subok" && frame.id > 60_000 ? [] : [frame, { op: "pong", id: 0 }];
    return frame.op === "sub" ? [frame, { ...frame, id: frame.id + 60_000 }] : [frame];
  },
};

describe("somebody on the path of a sealed session, whose frames have no TLS", { timeout: E2E_MS }, () => {
  test("hears no ticket and no name, and the links are really without TLS", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const { source, sinks } = await path.start();
    const tickets = ticketsOf(lab, path.coordinator);
    expect(tickets).toHaveLength(2);
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    const heard = Buffer.concat(path.middle.heard);
    expect(heard.length).toBeGreaterThan(3 * FILE_BYTES);
    expect(path.middle.links.plain).toBe(6);
    expect(path.middle.seen.get("msg")).toBeGreaterThan(0);
    // The id of a ticket says nothing of its secret.
    const secrets = tickets.map((ticket) => ticket.slice(16));
    const texts = [...Object.values(TREE_TEXTS), ...secrets, ...secrets.map((hex) => Buffer.from(hex, "hex"))];
    expect(texts.filter((text) => everyForm(text).some((form) => heard.includes(form)))).toEqual([]);
    // The search finds what is there.
    const ids = tickets.map((ticket) => Buffer.from(ticket.slice(0, 16), "hex"));
    expect(ids.filter((id) => heard.includes(id))).toHaveLength(2);
  });

  test("of what is not sealed he hears nothing: it goes over TLS", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const { source, sinks } = await path.start(["--seal", "off"]);
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    // The sinks had links without TLS before they knew that the session would not be sealed.
    expect(path.middle.links.plain).toBe(4);
    expect([path.middle.seen.get("pub"), path.middle.seen.get("msg")]).toEqual([undefined, undefined]);
    expect(path.middle.seen.get("subok")).toBeGreaterThan(0);
  });

  test("a sink that comes late to such a session has no link without TLS at all", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const env = { env: { FANFOLD_TOKEN: await path.coordinator.token("sink") } };
    const { source, sinks } = await path.start(["--seal", "off", "--bwlimit", "100"]);
    await source.event("started");
    const before = path.middle.links.plain;
    const late = lab.sink(`127.0.0.1:${path.middle.port}`, lab.path("late"), [], env);
    await expectProven(source, [...sinks, late]);
    await expectCopy(path.from, lab.path("late"));
    expect(path.middle.links.plain).toBe(before);
  });

  test("nor has one that comes when the coordinator was started again meanwhile", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const env = { env: { FANFOLD_TOKEN: await path.coordinator.token("sink") } };
    const { source, sinks } = await path.start(["--seal", "off", "--bwlimit", "50"]);
    await source.event("started");
    await Promise.all(sinks.map((sink) => sink.event("started")));
    path.coordinator.process.signal("SIGKILL");
    await path.coordinator.process.exit();
    const before = path.middle.links.plain;
    await startGuarded(lab, { port: path.coordinator.port });
    const late = lab.sink(`127.0.0.1:${path.middle.port}`, lab.path("late"), [], env);
    await expectProven(source, [...sinks, late]);
    await expectCopy(path.from, lab.path("late"));
    expect(path.middle.links.plain).toBe(before);
    expect([path.middle.seen.get("pub"), path.middle.seen.get("msg")]).toEqual([undefined, undefined]);
  });

  test("and whoever was just about to change over then begins anew", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const { source, sinks } = await path.start(["--seal", "off", "--bwlimit", "50"]);
    await source.event("started");
    path.coordinator.process.signal("SIGKILL");
    await path.coordinator.process.exit();
    await startGuarded(lab, { port: path.coordinator.port });
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    expect([path.middle.seen.get("pub"), path.middle.seen.get("msg")]).toEqual([undefined, undefined]);
  });

  test("a sealed session goes on through a restart, and nobody on the path hears a name", async () => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, pass);
    const { source, sinks } = await path.start(["--bwlimit", "50"]);
    await source.event("started");
    await Promise.all(sinks.map((sink) => sink.event("started")));
    path.coordinator.process.signal("SIGKILL");
    await path.coordinator.process.exit();
    await startGuarded(lab, { port: path.coordinator.port });
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    const heard = Buffer.concat(path.middle.heard);
    expect(Object.values(TREE_TEXTS).filter((text) => everyForm(text).some((form) => heard.includes(form)))).toEqual(
      [],
    );
  });

  test.each(Object.keys(BORNE))("%s: every copy is proven and equal", async (what) => {
    await using lab = await CliLab.open("guarded");
    const path = await pathThrough(lab, BORNE[what]?.() ?? pass);
    const { source, sinks } = await path.start();
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    expect(path.middle.seen.get("msg")).toBeGreaterThan(0);
  });

  test("a refusal that never was stops nothing: it is asked for again over TLS, and what he says is shown harmless", async () => {
    await using lab = await CliLab.open("guarded");
    let subject = "";
    // Nothing of the source comes through, so that the copy is not over before he says anything.
    const path = await pathThrough(lab, (frame) => {
      if (frame.op === "pub" && frame.subject.endsWith(".data")) {
        ({ subject } = frame);
        return [];
      }
      const refusal = { op: "refused", id: 0, subject, text: "\x1b[2Jall is well" } as const;
      return frame.op === "pong" && subject !== "" ? [frame, refusal] : [frame];
    });
    const { source, sinks } = await path.start();
    await expectProven(source, sinks);
    for (const folder of path.to) await expectCopy(path.from, folder);
    const { detail = "" } = await source.event("transport");
    expect(detail).toContain("[2Jall is well");
    expect(detail).not.toMatch(/\p{Cc}/u);
  });
});
