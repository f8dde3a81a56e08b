import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { COMPRESSION_MODES } from "../protocol/compression-mode.ts";
import { SINKS_PER_SESSION_MAX } from "../protocol/limits.ts";
import { labelSchema, sessionNameSchema } from "../protocol/messages/control.ts";
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

const runtime = {
  signal: z.instanceof(AbortSignal, { error: "expected an AbortSignal" }).optional(),
  clock: partWith<Clock>("a clock", ["nowMs", "date", "sleep", "every"]),
};
const random = partWith<Random>("a source of random values", ["fraction", "hex", "id"]);
const member = {
  coordinator: text.optional(),
  session: sessionNameSchema.optional(),
  name: labelSchema.optional(),
  connectTimeoutMs: waitMs,
};

export const SOURCE_CHECKS: OptionChecks<RunSourceOptions> = {
  ...runtime,
  ...member,
  ...sinkNeed,
  random,
  folder: path,
  stateDir: path.optional(),
  identityFile: path.optional(),
  dryRun: flag,
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
  bytesPerSecondMax: z.number().min(1).optional(),
  compression: z.enum(COMPRESSION_MODES).optional(),
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
  random,
  folder: path,
  stay: flag,
  acceptNewSource: flag,
  noDelete: flag,
  maxDelete: deleteLimit.optional(),
  numericIds: flag,
  specials: flag,
  durability: z.enum(["session", "file", "none"] satisfies Durability[]).optional(),
  fileEvents: flag,
};

export const VERIFY_CHECKS: OptionChecks<VerifyFolderOptions> = {
  ...runtime,
  folder: path,
  strict: flag,
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
  stateDir: z.union([path, z.custom((given) => typeof given === "function")]).optional(),
  allowHosts: z.array(text).optional(),
  logger: partWith<Logger>("a logger", ["debug"]),
};
