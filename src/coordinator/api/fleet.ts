import type { DatabaseSync } from "node:sqlite";
import type { FleetSink, SinkProof } from "../../protocol/api/answer-schemas.ts";
import { keptReceipt } from "../../protocol/messages/receipt.ts";
import type { IdentityRecord } from "../access/access-store.ts";
import { type KnownSink, SinkStore } from "../history/sink-store.ts";
import { VerifiedStore } from "../history/verified-store.ts";
import { type EndedSession, EndedSessions } from "./ended-sessions.ts";

/** What one sink has signed. */
interface Copies {
  readonly name: string;
  readonly lastCopy: SinkProof;
  readonly lastProof: SinkProof | undefined;
}

const SIGNED = `SELECT rowid, identity AS key, name FROM members
  WHERE session_id = ? AND role = 'sink' AND receipt IS NOT NULL`;
/** Sinks of a session that keep snapshots, as its source told. */
const SNAPSHOTS = `SELECT m.identity AS key, s.name AS session, sink.value ->> '$.snapshot.name' AS name,
  sink.value ->> '$.snapshot.kept' AS kept FROM sessions s, json_each(s.summary, '$.sinks') AS sink
  JOIN members m ON m.session_id = s.id AND m.member_id = sink.value ->> '$.sinkId'
  WHERE s.id = ? AND coalesce(s.summary ->> '$.commit', '') <> 'dropped' AND sink.value ->> '$.snapshot.name' IS NOT NULL`;
const RECEIPT = "SELECT receipt FROM members WHERE rowid = ?";

interface FleetSources {
  readonly database: DatabaseSync;
  /** Those that were let in, where tokens are asked for; undefined where nobody is asked. */
  readonly admitted: (() => readonly IdentityRecord[]) | undefined;
  /** The keys of those that are connected. */
  readonly connected: () => ReadonlySet<string>;
}

/** Each sink that is known, and what it has proven when. No receipt is read that is not needed, and none twice. */
export class Fleet {
  readonly #options: FleetSources;
  readonly #ended: EndedSessions;
  readonly #said: SinkStore;
  readonly #verified: VerifiedStore;
  readonly #copies = new Map<string, Copies>();
  readonly #snapshots = new Map<string, NonNullable<FleetSink["snapshot"]>>();

  constructor(options: FleetSources) {
    this.#options = options;
    this.#ended = new EndedSessions(options.database);
    this.#said = new SinkStore(options.database);
    this.#verified = new VerifiedStore(options.database);
  }

  sinks(): readonly FleetSink[] {
    this.#readFresh();
    const copies = this.#copies;
    const { admitted, connected } = this.#options;
    const here = connected();
    const said = new Map(this.#said.known().map((sink) => [sink.key, sink]));
    const verified = this.#verified.all();
    const factsOf = (key: string) => {
      const lastCheck = verified.get(key);
      const snapshot = this.#snapshots.get(key);
      return {
        connected: here.has(key),
        ...machineOf(said.get(key)),
        ...copiesOf(copies.get(key)),
        ...(lastCheck === undefined ? {} : { lastCheck }),
        ...(snapshot === undefined ? {} : { snapshot }),
      };
    };
    if (admitted === undefined) {
      const keys = new Set([...copies.keys(), ...said.keys()]);
      return [...keys].map((key) => ({ key, name: nameOf(key, copies, said), ...factsOf(key) }));
    }
    return admitted()
      .filter(({ role }) => role === "sink")
      .map(({ key, name, scopes, seen }) => ({ key, name, sessions: scopes.split(" "), seen, ...factsOf(key) }));
  }

  /** What came since the last time is newer than all that is known. */
  #readFresh(): void {
    const fresh = new Map<string, Copies>();
    const signed = this.#options.database.prepare(SIGNED);
    const sessions = this.#ended.fresh() ?? [];
    for (const session of sessions) for (const row of signed.all(session.id)) this.#take(fresh, session, row);
    this.#readSnapshots(sessions);
    for (const [key, copies] of fresh)
      this.#copies.set(key, { ...copies, lastProof: copies.lastProof ?? this.#copies.get(key)?.lastProof });
  }

  /** The latest comes first. */
  #readSnapshots(sessions: readonly EndedSession[]): void {
    const kept = this.#options.database.prepare(SNAPSHOTS);
    const fresh = new Map<string, NonNullable<FleetSink["snapshot"]>>();
    for (const { id } of sessions)
      for (const row of kept.all(id)) {
        const key = String(row["key"]);
        if (fresh.has(key)) continue;
        const count = row["kept"] === null ? {} : { kept: Number(row["kept"]) };
        fresh.set(key, { session: String(row["session"]), name: String(row["name"]), ...count });
      }
    for (const [key, snapshot] of fresh) this.#snapshots.set(key, snapshot);
  }

  /** The latest comes first. */
  #take(fresh: Map<string, Copies>, session: EndedSession, row: Readonly<Record<string, unknown>>): void {
    const key = String(row["key"]);
    const known = fresh.get(key);
    if (known?.lastProof !== undefined) return;
    const text = this.#options.database.prepare(RECEIPT).get(Number(row["rowid"]))?.["receipt"];
    const proof = proofOf(session, String(text));
    if (proof === undefined) return;
    const { name, lastCopy } = known ?? { name: String(row["name"]), lastCopy: proof };
    fresh.set(key, { name, lastCopy, lastProof: proof.outcome === "incomplete" ? undefined : proof });
  }
}

type NamesByKey = ReadonlyMap<string, { readonly name: string }>;

/** As it is called in the session that it entered last, and so in its latest copy. */
function nameOf(key: string, copies: NamesByKey, said: NamesByKey): string {
  return (said.get(key) ?? copies.get(key))?.name ?? "";
}

function machineOf(sink: KnownSink | undefined): Pick<FleetSink, "software" | "freeBytes" | "sizeBytes" | "said"> {
  if (sink === undefined) return {};
  const { key: _key, name: _name, ...machine } = sink;
  return machine;
}

function copiesOf(copies: Copies | undefined): Pick<FleetSink, "lastCopy" | "lastProof"> {
  if (copies === undefined) return {};
  const { lastCopy, lastProof } = copies;
  return { lastCopy, ...(lastProof === undefined ? {} : { lastProof }) };
}

function proofOf({ id: sessionId, name: session, ended: at }: EndedSession, text: string): SinkProof | undefined {
  const receipt = keptReceipt(text);
  if (receipt === undefined) return undefined;
  const { outcome, digest, filesDone: files, bytesDone: bytes, provenAt } = receipt;
  return { session, sessionId, at, provenAt, outcome, digest, files, bytes };
}
