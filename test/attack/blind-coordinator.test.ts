import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgeKey } from "../../src/lib/crypto/age.ts";
import { API_PATHS } from "../../src/protocol/coordinator-port.ts";
import type { Seal } from "../../src/protocol/messages/control.ts";
import { unwrapSecret } from "../../src/protocol/seal/wrapped-secret.ts";
import { E2E_MS, type SinkProcess, type SourceProcess } from "../e2e/copying.ts";
import { givenKey } from "../e2e/sealing/age-lab.ts";
import { startTcpProxy, type TcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab, type RunningCoordinator } from "../helpers/processes/cli.ts";
import { programsAvailable } from "../helpers/processes/programs.ts";
import { CONTENT, everyForm, makeCanaryTree, TREE_TEXTS } from "./canaries.ts";
import { Capture } from "./capture.ts";

const isSuperuser = process.getuid?.() === 0;

/** Names that a source and its sinks tell people beside those of the tree. */
const TOLD = {
  root: "canary-root-of-source-6d20",
  sinkFolder: "canary-folder-of-sink-b1f7",
  unreadable: "canary-unreadable-93ae",
  deleted: "canary-deleted-47c8",
  ...(isSuperuser ? { device: "canary-device-e05b" } : {}),
};

/** A coordinator without TLS, and all that goes through its port, and all that it says and keeps. */
class Watched {
  readonly lab: CliLab;
  readonly capture: Capture;
  readonly address: string;
  readonly #proxy: TcpProxy;
  readonly #coordinator: RunningCoordinator;
  readonly #told: string[] = [];

  private constructor(lab: CliLab, coordinator: RunningCoordinator, proxy: TcpProxy, capture: Capture) {
    this.lab = lab;
    this.capture = capture;
    this.address = `127.0.0.1:${proxy.port}`;
    this.#proxy = proxy;
    this.#coordinator = coordinator;
  }

  static async start(lab: CliLab): Promise<Watched> {
    const args = ["--verbose", "--state-dir", lab.path("coordinator")];
    const coordinator = await lab.coordinator({ args });
    const capture = new Capture();
    const port = Number(coordinator.address.split(":").at(-1));
    return new Watched(lab, coordinator, await startTcpProxy(port, "127.0.0.1", capture.saw), capture);
  }

  /** Reads the API's stream of events from now on. */
  async follow(): Promise<void> {
    const { body } = await fetch(`http://${this.#coordinator.address}${API_PATHS.events}`);
    const read = async (): Promise<void> => {
      for await (const bytes of body ?? []) this.#told.push(Buffer.from(bytes).toString());
    };
    void read().catch(() => undefined);
  }

  /** All that the port answers at this moment. */
  async ask(sessionId: string): Promise<void> {
    const { sessions, history, sinks, wanted, members } = API_PATHS;
    const ofSession = `${sessions}/${sessionId}`;
    const paths = ["/", "/metrics", sessions, ofSession, `${ofSession}/rates`, history, sinks, wanted, members];
    for (const path of paths) {
      const answer = await fetch(`http://${this.#coordinator.address}${path}`);
      this.#told.push(await answer.text());
    }
  }

  /** What it has printed, answered and kept; it is over then. */
  async end(): Promise<Buffer> {
    const { process } = this.#coordinator;
    process.signal("SIGTERM");
    await process.exit();
    await this.#proxy.close();
    const folder = this.lab.path("coordinator");
    const kept = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(kept.length).toBeGreaterThan(1);
    return Buffer.concat([Buffer.from([process.stdout, process.stderr, ...this.#told].join("\n")), ...kept]);
  }
}

interface Run {
  readonly source: SourceProcess;
  readonly sink: SinkProcess;
}

interface RunOptions {
  /** Of the source. */
  readonly args?: readonly string[];
  /** The source is held to permission bits. */
  readonly unprivileged?: boolean;
  /** It takes long enough that the coordinator can be asked in its middle. */
  readonly isLong?: boolean;
}

/** A source with names of every kind, and a sink, session after session: a copy, one with a problem, one that deletes. */
async function sessionsBefore(
  watched: Watched,
  { recipients, key }: { recipients: boolean; key: Awaited<ReturnType<typeof givenKey>> },
) {
  const { lab, address } = watched;
  const [from, to] = [lab.path(TOLD.root), lab.path(TOLD.sinkFolder)];
  makeCanaryTree(from);
  if (isSuperuser) execFileSync("mknod", [join(from, "canary-device-e05b"), "c", "1", "3"]);
  const run = async ({ args = [], unprivileged = false, isLong = false }: RunOptions): Promise<Run> => {
    const sink = lab.sink(address, to, ["--verbose", ...(recipients ? key.sinkArgs : [])]);
    await sink.event("waiting");
    const all = ["--verbose", "--seal", "on", ...(recipients ? key.sourceArgs : []), ...args];
    const source = lab.source(address, from, all, { unprivileged });
    const { sessionId } = await source.event("joined");
    if (isLong) await source.event("progress", { where: ({ progress }) => progress.currentFile !== "" });
    await watched.ask(sessionId);
    await Promise.all([source.exit(), sink.exit()]);
    await watched.ask(sessionId);
    return { source, sink };
  };
  const whole = await run({ args: ["--bwlimit", "300k"], isLong: true });
  mkdirSync(join(to, TOLD.deleted));
  const dry = recipients ? [await run({ args: ["--delete", "--dry-run"] })] : [];
  const deleting = await run({ args: ["--delete"] });
  const file = join(from, TOLD.unreadable);
  writeFileSync(file, "unreadable");
  chmodSync(file, 0);
  const partial = await run({ unprivileged: true });
  return { whole, dry, deleting, partial };
}

function canaries(key: AgeKey) {
  return {
    ...Object.fromEntries(Object.entries({ ...TREE_TEXTS, ...TOLD }).map(([name, text]) => [name, everyForm(text)])),
    content: CONTENT.flatMap(everyForm),
    key: everyForm(key.secretKey.slice("AGE-SECRET-KEY-1".length)),
  };
}

type Canaries = Readonly<Record<string, readonly Buffer[]>>;

function found(all: Buffer, texts: Canaries): string[] {
  return Object.keys(texts).filter((name) => texts[name]?.some((form) => all.includes(form)));
}

/** The secret of the first session, as its sink has it. */
async function secretOf({ sink }: Run, { control, key }: { control: string; key: AgeKey }): Promise<Buffer> {
  const { sessionId } = await sink.event("joined");
  const start = /"sourceIdentity":"([0-9a-f]{64})"/.exec(control)?.[1] ?? "";
  const told = /"seal":(\{"by":"recipients"[^}]*\})/.exec(control)?.[1] ?? "{}";
  const seal = JSON.parse(told) as Extract<Seal, { by: "recipients" }>;
  const secret = await unwrapSecret(seal, { scope: { sessionId, epoch: 1 }, source: start, keys: [key] });
  if (typeof secret === "string") throw new Error(`want the secret of the session, found "${secret}"`);
  return secret;
}

describe
  .skipIf(!programsAvailable("setpriv"))
  .concurrent("a coordinator of sessions for recipients", { timeout: E2E_MS }, () => {
    test("has no name of a file, no content and no key: in what it hears, says and keeps", async () => {
      await using lab = await CliLab.open("open");
      const watched = await Watched.start(lab);
      await watched.follow();
      const key = await givenKey(lab, "sink");
      const runs = await sessionsBefore(watched, { recipients: true, key });
      const { control } = watched.capture;
      const secret = await secretOf(runs.whole, { control, key });
      const texts: Canaries = { ...canaries(key), secret: everyForm(secret) };
      const told = await watched.end();
      expect(watched.capture.found(texts)).toEqual([]);
      expect(found(told, texts)).toEqual([]);
      // Counts are there.
      expect(told.includes('"problemCount":1')).toBe(true);

      // Source and sink say all of it to their own people.
      const { whole, dry, deleting, partial } = runs;
      const mine = async ({ sink }: Run) => (await sink.event("finished")).outcome;
      expect(await mine(whole)).toMatchObject({ outcome: "proven" });
      if (isSuperuser)
        expect((await mine(whole)).fidelity).toMatchObject([{ what: "device", count: 1, examples: [TOLD.device] }]);
      for (const run of [...dry, deleting]) {
        expect((await mine(run)).deletion).toMatchObject({ entries: 1, examples: [TOLD.deleted] });
        const { summary } = await run.source.event("finished");
        expect(summary.sinks[0]?.deletion).toMatchObject({ examples: [TOLD.deleted] });
      }
      const { summary } = await partial.source.event("finished");
      expect(summary).toMatchObject({ problemCount: 1, problems: [{ path: TOLD.unreadable, kind: "unreadable" }] });
    });

    test("would be found out by the same search: where it passes the secret on it has the names", async () => {
      await using lab = await CliLab.open("open");
      const watched = await Watched.start(lab);
      await watched.follow();
      const key = await givenKey(lab, "sink");
      await sessionsBefore(watched, { recipients: false, key });
      const { control } = watched.capture;
      const secret = Buffer.from(
        /"seal":\{"by":"coordinator","secret":"([\w-]{43})"/.exec(control)?.[1] ?? "",
        "base64url",
      );
      const texts: Canaries = { ...canaries(key), secret: everyForm(secret) };
      const told = await watched.end();
      const { sinkFolder: _, ...shown } = TOLD;
      const names = Object.keys(shown);
      expect(secret).toHaveLength(32);
      expect(watched.capture.found(texts)).toEqual(expect.arrayContaining([...names, "sinkFolder", "file", "secret"]));
      expect(found(told, texts)).toEqual(expect.arrayContaining([...names, "file"]));
      expect(found(told, texts)).not.toContain("secret");
    });
  });
