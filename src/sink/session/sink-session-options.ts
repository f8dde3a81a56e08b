import type { AgeKey } from "../../lib/crypto/age.ts";
import type { BufferPool } from "../../lib/memory/buffer-pool.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientCertificate } from "../../lib/tls/client-certificate.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import type { Welcome } from "../../member/inbox.ts";
import type { Bandwidth } from "../../member/limit/bandwidth.ts";
import type { SteadyLink } from "../../member/steady-link.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { SpaceWatch } from "../own/space-watch.ts";
import type { Pruner } from "../snapshots/pruner.ts";
import type { SnapshotStore } from "../snapshots/snapshot-store.ts";
import type { CopyTask, SinkRuntime } from "./copy-parts.ts";
import type { FolderTurns } from "./folder-turns.ts";
import type { SnapshotCommand } from "./snapshot-command.ts";

export interface SinkSessionOptions {
  readonly link: SteadyLink;
  readonly address: CoordinatorAddress;
  /** For a broker that asks its clients for certificates. */
  readonly brokerCertificate?: ClientCertificate | undefined;
  readonly welcome: Welcome;
  readonly folder: SinkFolder;
  readonly turns: Pick<FolderTurns, "take" | "lend">;
  /** Makes a snapshot of the folder behind each copy that is proven. @default nothing does */
  readonly command?: SnapshotCommand | undefined;
  /** Where its copies are kept as snapshots. @default the folder itself is filled */
  readonly snapshots?: SnapshotStore | undefined;
  /** Removes what was dropped. */
  readonly pruner?: Pick<Pruner, "resume"> | undefined;
  readonly acceptNewSource: boolean;
  /** Public key of the only source for a folder that has none yet. */
  readonly trustSource?: string | undefined;
  /** With any, only copies that are encrypted for one of them are taken. */
  readonly ageKeys: readonly AgeKey[];
  /** A sink that is no recipient of a session waits for the next one. */
  readonly stay: boolean;
  /** How each of its copies is to be made. */
  readonly copies: Pick<CopyTask, "fill" | "deletion" | "fileEvents">;
  /** Memory for payloads, for one session after another. */
  readonly buffers: BufferPool;
  /** How fast payloads are taken in. */
  readonly bandwidth: Pick<Bandwidth, "throttle" | "applied">;
  /** The epoch of the copy that runs in this process from now on; undefined when none does. */
  readonly onCopy: (epoch: number | undefined) => void;
  /** Looked at when a copy is whole. */
  readonly space: Pick<SpaceWatch, "lookAndTell">;
  readonly runtime: SinkRuntime;
  readonly random: Pick<Random, "hex">;
}
