import { workerData } from "node:worker_threads";
import { systemClock } from "../../lib/clock.ts";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { pathIn } from "../../lib/folder/file-path.ts";
import { systemRandom } from "../../lib/random.ts";
import { sayLoaded, threadPort } from "../../lib/threads/thread-port.ts";
import type { Difference, VerifyCounts } from "../../protocol/messages/verify-events.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { type FoundKind, findEntry } from "../disk/folder-reader.ts";
import { Root } from "../disk/root.ts";
import { MANIFEST, MANIFEST_DRAFT, type ManifestMeta } from "../manifest/manifest.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { SNAPSHOTS_FOLDER, snapshotPlace } from "../snapshots/catalogue.ts";
import type { CheckedSnapshot } from "../snapshots/checked-snapshot.ts";
import { SNAPSHOT_FILES } from "../snapshots/snapshot-facts.ts";
import { type DamageMemory, FoundDamage } from "./found-damage.ts";
import { Verifier } from "./verifier.ts";

/** Thread that compares a folder with its manifest. It works one slice for each request, so that its news never pile up. */
export interface VerifyWorkerData {
  readonly folder: Uint8Array;
  readonly snapshot: CheckedSnapshot | undefined;
  readonly strict: boolean;
  readonly fileNotices: boolean;
}
export interface VerifyRequest {
  readonly type: "go";
  /** A slice ends when it has read so much: where a rate holds it, so that bytes flow evenly. */
  readonly bytesMax: number;
}
type VerifyNews =
  | { readonly type: "difference"; readonly difference: Difference }
  | { readonly type: "extra"; readonly path: string; readonly kind: FoundKind }
  | { readonly type: "file"; readonly path: string; readonly bytes: number };
export type VerifyMessage =
  | { readonly type: "opened"; readonly meta: ManifestMeta; readonly digest: string; readonly unfinished: boolean }
  | {
      readonly type: "slice";
      readonly news: readonly VerifyNews[];
      readonly counts: VerifyCounts;
      readonly progress: Verifier["progress"];
      /** Of content, in this slice. */
      readonly bytesRead: number;
      /** At the end: what the next copy will want. */
      readonly end: DamageMemory | undefined;
    }
  | { readonly type: "failed"; readonly code: FanfoldError["code"]; readonly message: string };

/** A slice ends after this long, or with so many news. */
const SLICE_MS = 50;
const SLICE_NEWS = 512;

const port = threadPort();
const data = workerData as VerifyWorkerData;
let news: VerifyNews[] = [];
sayLoaded(port);

try {
  const folder = Buffer.from(data.folder);
  const root = openTree(folder);
  const manifest = openManifest(root);
  const isRemembered = data.snapshot?.isNewest !== false;
  const damage = isRemembered ? new FoundDamage({ root, clock: systemClock, random: systemRandom }) : undefined;
  const verifier = new Verifier({
    root,
    manifest,
    strict: data.strict,
    out: {
      difference: (difference) => news.push({ type: "difference", difference }),
      extra: (path, kind) => news.push({ type: "extra", path, kind }),
      content: (entry, isRight) => damage?.content(entry, isRight),
      file: (path, bytes) => {
        if (data.fileNotices) news.push({ type: "file", path, bytes });
      },
    },
  });
  const steps = verifier.run();
  port.on("message", ({ bytesMax }: VerifyRequest) => {
    try {
      const before = verifier.bytesRead;
      const ended = work(steps, () => verifier.bytesRead - before < bytesMax);
      // Before any of it is told.
      if (!ended) damage?.keep();
      const end = ended ? (damage?.end() ?? { files: 0 }) : undefined;
      const { counts, progress, bytesRead } = verifier;
      post({ type: "slice", news, counts, progress, bytesRead: bytesRead - before, end });
      news = [];
    } catch (thrown) {
      fail(thrown);
    }
  });
  post({
    type: "opened",
    meta: manifest.meta,
    digest: Buffer.from(manifest.end.digest).toString("hex"),
    // A snapshot is made beside those before it.
    unfinished:
      data.snapshot === undefined &&
      findEntry(root, Buffer.from(OWN_FOLDER), Buffer.from(MANIFEST_DRAFT)) !== undefined,
  });
} catch (thrown) {
  fail(thrown);
}

function openTree(folder: Buffer): Root {
  const { snapshot } = data;
  return snapshot === undefined
    ? Root.open(folder)
    : Root.open(pathIn(folder, snapshot.name), { own: Buffer.from(`../${OWN_FOLDER}`) });
}

function openManifest(root: Root): ManifestReader {
  const { snapshot } = data;
  const name = `"${OWN_FOLDER}/${snapshot === undefined ? MANIFEST : `${SNAPSHOTS_FOLDER}/${snapshot.name}/${MANIFEST}`}"`;
  try {
    const manifest = snapshot === undefined ? ManifestReader.open(root) : manifestOf(snapshot.name);
    if (manifest !== undefined) return manifest;
  } catch (cause) {
    const code = systemCode(cause) ?? "";
    if (code === "EACCES" || code === "EPERM")
      throw new FanfoldError("folder-denied", `${name} in it cannot be read: permission denied`, { cause });
    if (code === "ELOOP" || code === "ENOTDIR" || code === "EISDIR")
      throw new FanfoldError("manifest-damaged", `${name} in it is not a regular file, or its path has a link`, {
        cause,
      });
    throw cause;
  }
  throw new FanfoldError("manifest-missing", `it has no manifest (${name}): no copy into it was ever complete`);
}

function manifestOf(snapshot: string): ManifestReader | undefined {
  using directories = Directories.open(Buffer.from(data.folder), process.platform);
  return ManifestReader.open(snapshotPlace(directories, snapshot), SNAPSHOT_FILES.manifest);
}

/** Returns whether it has come to its end. */
function work(steps: Iterator<void>, mayRead: () => boolean): boolean {
  const untilMs = systemClock.nowMs() + SLICE_MS;
  do {
    if (steps.next().done === true) return true;
  } while (news.length < SLICE_NEWS && mayRead() && systemClock.nowMs() < untilMs);
  return false;
}

function fail(thrown: unknown): void {
  const error = FanfoldError.from(thrown);
  post({ type: "failed", code: error.code, message: error.message });
}

function post(message: VerifyMessage): void {
  port?.postMessage(message);
}
