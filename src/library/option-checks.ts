import { z } from "zod";
import { KEEP_DAYS_MAX, KEEP_SESSIONS_MAX } from "../coordinator/history/retention.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { holdsToken } from "../protocol/access/token.ts";
import { labelSchema, sessionNameSchema } from "../protocol/api/message-schemas.ts";
import { COMPRESSION_MODES } from "../protocol/compression-mode.ts";
import { DELTA_MODES } from "../protocol/delta-mode.ts";
import { BANDWIDTH_BYTES_MAX, BANDWIDTH_BYTES_MIN, SINKS_PER_SESSION_MAX } from "../protocol/limits.ts";
import { COMMIT_ELSE } from "../protocol/messages/commit.ts";
import { SEAL_MODES } from "../protocol/seal/seal-mode.ts";
import type { Durability } from "../sink/disk/entry-sync.ts";
import { STRAGGLER_POLICIES } from "../source/session/ladder.ts";
import { LINK_POLICIES } from "../source/walk/link-policy.ts";
import type { OptionChecks } from "./check-options.ts";
import type {
  CancelSessionOptions,
  OpenCoordinatorOptions,
  RunSinkOptions,
  RunSourceOptions,
  VerifyFolderOptions,
} from "./library-options.ts";

/** The longest wait that a timer of Node.js can hold, about 24 days. */
const WAIT_MS_MAX = 2 ** 31 - 1;

const text = z.string().min(1);
const flag = z.boolean().optional();
const waitMs = z.number().min(1).max(WAIT_MS_MAX).optional();
const path = z.union(
  [
    text.refine((given) => given.isWellFormed() && !given.includes("\0")),
    z.instanceof(Uint8Array).refine((bytes) => bytes.length > 0 && !bytes.includes(0)),
  ],
  { error: "expected a path: text, or its bytes" },
);
const pattern = z.union([text, z.instanceof(Uint8Array)]);
const filter = z.union([
  z.strictObject({ exclude: pattern }),
  z.strictObject({ include: pattern }),
  z.strictObject({ excludeFrom: path }),
]);
const deleteLimit = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("default") }),
  z.strictObject({ kind: z.literal("entries"), value: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal("percent"), value: z.number().min(0).max(100) }),
]);
const sinkCount = z.int().min(1).max(SINKS_PER_SESSION_MAX);
const sinkNeed = {
  destCount: z
    .union([sinkCount, z.strictObject({ min: sinkCount, max: sinkCount })], {
      error: `expected a whole number from 1 to ${SINKS_PER_SESSION_MAX}, or min and max as such numbers`,
    })
    .optional(),
  expect: z.array(labelSchema).max(SINKS_PER_SESSION_MAX).optional(),
  waitMs,
  waitTimeoutMs: waitMs,
};

/** Something with these methods. */
function partWith<Part extends object>(what: string, methods: readonly (keyof Part & string)[]) {
  return z
    .custom<Part>(
      (given) =>
        typeof given === "object" &&
        given !== null &&
        methods.every((name) => typeof Reflect.get(given, name) === "function"),
      { error: `expected ${what}` },
    )
    .optional();
}

const span = z.strictObject({
  years: z.int().nonnegative(),
  months: z.int().nonnegative(),
  days: z.int().nonnegative(),
  hours: z.int().nonnegative(),
});
const periods = <T extends z.ZodType>(value: T) =>
  z.strictObject({
    hourly: value.optional(),
    daily: value.optional(),
    weekly: value.optional(),
    monthly: value.optional(),
    yearly: value.optional(),
  });
const keepCount = z.union([z.int().nonnegative(), z.literal(Number.POSITIVE_INFINITY)]);
const retention = z.strictObject({
  rules: z
    .strictObject({
      last: keepCount.optional(),
      counts: periods(keepCount).optional(),
      within: span.optional(),
      periodsWithin: periods(span).optional(),
    })
    .optional(),
  minFree: z.strictObject({ kind: z.enum(["percent", "bytes"]), value: z.number().nonnegative() }).optional(),
});

const runtime = {
  signal: z.instanceof(AbortSignal, { error: "expected an AbortSignal" }).optional(),
  clock: partWith<Clock>("a clock", ["nowMs", "date", "sleep", "every"]),
};
const random = partWith<Random>("a source of random values", ["fraction", "hex", "id"]);
const certificate = z.strictObject({ certificate: text, key: text }).optional();
const member = {
  coordinator: text.optional(),
  session: sessionNameSchema.optional(),
  name: labelSchema.refine((name) => !holdsToken(name), "expected a name: a token would be shown").optional(),
  connectTimeoutMs: waitMs,
  token: text.optional(),
  clientCertificate: certificate,
};
const bandwidth = {
  bytesPerSecondMax: z
    .union([z.int().min(BANDWIDTH_BYTES_MIN).max(BANDWIDTH_BYTES_MAX), text], {
      error: `expected whole bytes a second from ${BANDWIDTH_BYTES_MIN} to ${BANDWIDTH_BYTES_MAX}, or a text as --bwlimit takes it`,
    })
    .optional(),
};

export const SOURCE_CHECKS: OptionChecks<RunSourceOptions> = {
  ...runtime,
  ...member,
  ...sinkNeed,
  ...bandwidth,
  brokerCertificate: certificate,
  random,
  folder: path,
  stateDir: path.optional(),
  identityFile: path.optional(),
  dryRun: flag,
  seal: z.enum(SEAL_MODES).optional(),
  recipients: z.array(z.string()).optional(),
  commit: z
    .strictObject({
      needed: z.union([z.int().min(1).max(256), z.literal("all")]),
      otherwise: z.enum(COMMIT_ELSE).optional(),
      timeoutMs: waitMs,
    })
    .optional(),
  fileEvents: flag,
  cancelGraceMs: z.number().min(0).max(WAIT_MS_MAX).optional(),
  filters: z.array(filter).optional(),
  checksum: flag,
  oneFileSystem: flag,
  links: z.enum(LINK_POLICIES).optional(),
  owner: flag,
  perms: flag,
  times: flag,
  deletion: deleteLimit.optional(),
  compression: z.enum(COMPRESSION_MODES).optional(),
  delta: z.enum(DELTA_MODES).optional(),
  sinkTimeoutMs: waitMs,
  stragglers: z.enum(STRAGGLER_POLICIES).optional(),
  minSuccess: sinkCount.optional(),
};

export const CANCEL_CHECKS: OptionChecks<CancelSessionOptions> = {
  ...runtime,
  ...member,
  random,
  folder: path,
  stateDir: path.optional(),
  identityFile: path.optional(),
};

export const SINK_CHECKS: OptionChecks<RunSinkOptions> = {
  ...runtime,
  ...member,
  ...bandwidth,
  brokerCertificate: certificate,
  random,
  folder: path,
  stay: flag,
  verifyEveryMs: z.number().min(1).optional(),
  verifyBytesPerSecondMax: bandwidth.bytesPerSecondMax,
  snapshots: flag,
  retention: retention.optional(),
  snapshotCommand: path.optional(),
  environment: z.record(z.string(), z.string().optional()).optional(),
  acceptNewSource: flag,
  trustSource: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "expected a public key: 64 hex digits" })
    .optional(),
  ageKeyFile: path.optional(),
  noDelete: flag,
  maxDelete: deleteLimit.optional(),
  numericIds: flag,
  specials: flag,
  durability: z.enum(["session", "file", "none"] satisfies Durability[]).optional(),
  fileEvents: flag,
};

export const VERIFY_CHECKS: OptionChecks<VerifyFolderOptions> = {
  ...runtime,
  ...bandwidth,
  folder: path,
  strict: flag,
  snapshot: text.optional(),
  fileEvents: flag,
};

export const COORDINATOR_CHECKS: OptionChecks<OpenCoordinatorOptions> = {
  ...runtime,
  random,
  host: text.optional(),
  port: z.int().min(0).max(65_535).optional(),
  broker: text.optional(),
  brokerPublicUrl: text.optional(),
  brokerCredentials: text.optional(),
  brokerPublicCredentials: text.optional(),
  brokerCaFile: path.optional(),
  brokerCertFile: path.optional(),
  brokerKeyFile: path.optional(),
  natsSeedsFile: path.optional(),
  rabbitKeyFile: path.optional(),
  stateDir: z.union([path, z.custom((given) => typeof given === "function")]).optional(),
  keepSessions: z.int().min(1).max(KEEP_SESSIONS_MAX).optional(),
  webhook: text.optional(),
  webhookSecret: text.optional(),
  onEnd: text.optional(),
  environment: z.record(z.string(), z.string().optional()).optional(),
  wants: z.array(z.strictObject({ session: text, withinMs: z.number().positive() })).optional(),
  keepDays: z.int().min(1).max(KEEP_DAYS_MAX).optional(),
  allowHosts: z.array(text).optional(),
  requireToken: flag,
  insecureOpen: flag,
  tlsCert: path.optional(),
  tlsKey: path.optional(),
  tlsClientCa: path.optional(),
  logger: partWith<Logger>("a logger", ["debug"]),
};
