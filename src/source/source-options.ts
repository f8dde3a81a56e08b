import type { Clock } from "../lib/clock.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import type { Random } from "../lib/random.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import type { ContactOptions } from "../member/contact.ts";
import type { SealMode } from "../protocol/seal/seal-mode.ts";
import type { CommitOptions } from "./commit.ts";
import type { TreeOptions } from "./publish/published-tree.ts";
import type { SinkPolicy } from "./session/session-work.ts";
import type { SinkNeedOptions } from "./sink-need.ts";

export interface SourceOptions extends TreeOptions, SinkPolicy, SinkNeedOptions, ContactOptions {
  /** For a broker that asks its clients for certificates. */
  readonly brokerCertificate?: ClientCertificate;
  /** @default "default" */
  readonly session?: string;
  /** Only asks the sinks what would have to be sent to them; nothing is changed anywhere. @default false */
  readonly dryRun?: boolean;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Longest wait for the coordinator, in milliseconds; in mid-session at least 10 minutes. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Whether what is sent is encrypted: `auto` when it may leave the machine. @default "auto" */
  readonly seal?: SealMode;
  /**
   * Public age keys (`age1…`), and files of them. Only who has the secret part of one can read what is sent, and the
   * coordinator cannot. Without any the coordinator passes the secret on.
   */
  readonly recipients?: readonly string[];
  /** The sinks switch to their new snapshots together, or not at all. All of them must keep snapshots. */
  readonly commit?: CommitOptions;
  /** Whether to emit one event a file. @default false */
  readonly fileEvents?: boolean;
  /** Where the source's identity is kept between runs. */
  readonly stateDir: FilePath;
  /** A file that holds the identity, in the place of the one that is kept for the directory. */
  readonly identityFile?: FilePath;
  /** How long `cancel` is waited for once `signal` has stopped a session that runs, in milliseconds. @default 0 */
  readonly cancelGraceMs?: number;
  /** Aborted: the work stops in order, and the sinks, which wait for this source to come back, are told why. */
  readonly signal: AbortSignal;
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
  /** Where random values come from. @default those of the system */
  readonly random?: Random;
}
