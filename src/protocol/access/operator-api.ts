import { z } from "zod";
import { labelSchema } from "../api/message-schemas.ts";
import {
  SESSION_NAME_CHARS_MAX,
  TOKEN_CHARS_MAX,
  TOKEN_NOTE_CHARS_MAX,
  TOKEN_TTL_DAYS_MAX,
  TOKEN_TTL_SECONDS_MIN,
  TOKEN_USES_MAX,
} from "../limits.ts";
import { holdsToken } from "./token.ts";
import { TOKEN_ROLES } from "./token-role.ts";

const DAY_MS = 86_400_000;
const time = z.iso.datetime();

/** What a token is to be. This and what follows is taken and given by the API of the coordinator. */
export const tokenOrderSchema = z.strictObject({
  role: z.enum(TOKEN_ROLES),
  /** Sessions: a name in which `*` stands for any run of characters. */
  session: z.string().max(SESSION_NAME_CHARS_MAX).optional(),
  /** Null: it does not expire. */
  ttlMs: z
    .int()
    .min(TOKEN_TTL_SECONDS_MIN * 1000)
    .max(TOKEN_TTL_DAYS_MAX * DAY_MS)
    .nullable()
    .optional(),
  uses: z.int().min(1).max(TOKEN_USES_MAX).optional(),
  note: z
    .string()
    .max(TOKEN_NOTE_CHARS_MAX)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "a note holds no control characters")
    .refine((note) => !holdsToken(note), "a note holds no token")
    .optional(),
});
export type TokenOrder = z.infer<typeof tokenOrderSchema>;

/** A token as everybody may see it who may read. */
export const tokenViewSchema = z.object({
  /** A part of the token that is no secret. */
  id: z.string().max(16),
  /** What who has it may do. */
  role: z.enum(TOKEN_ROLES),
  /** Name or pattern of the sessions that it is good for. */
  session: z.string().max(SESSION_NAME_CHARS_MAX),
  /** Whether it still lets anybody in, or why not. */
  state: z.enum(["good", "revoked", "expired", "used-up"]),
  /** When it was made. */
  created: time,
  /** Until when it is good; absent when it does not expire. */
  expires: time.optional(),
  /** How many members it may still let in; absent when there is no such bound. */
  usesLeft: z.int().optional(),
  /** What was written down for people. */
  note: z.string().max(TOKEN_NOTE_CHARS_MAX).optional(),
  /** When it was taken back; absent when it was not. */
  revoked: time.optional(),
  /** The first start of the coordinator made it. */
  first: z.boolean(),
});
export type TokenView = z.infer<typeof tokenViewSchema>;

/** With the secret: for who runs the coordinator alone. */
export const shownTokenSchema = tokenViewSchema.extend({
  /** The token itself: a secret. */
  token: z.string().max(TOKEN_CHARS_MAX),
  /** What to type at `--coordinator`, the most useful first. */
  addresses: z.array(z.string().max(300)).max(64),
});
/** A token with its secret and where it is good: not for logs. Times are ISO 8601, in UTC. */
export type ShownToken = z.infer<typeof shownTokenSchema>;

/** A source or a sink that was let in. */
export const memberViewSchema = z.object({
  /** Public key. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  role: z.enum(["source", "sink"]),
  name: z.string().max(256),
  /** Sessions that it may enter. */
  sessions: z.array(z.string().max(64)).max(64),
  /** Id of the token that let it in last. */
  token: z.string().max(16),
  admitted: time,
  seen: time,
});
export type MemberView = z.infer<typeof memberViewSchema>;

export const memberChangeSchema = z.strictObject({ name: labelSchema });

/** Who may come in here, and what the token of the one who asks is for: absent when it showed none and has no cookie. */
export const loginViewSchema = z.object({
  access: z.enum(["open", "guarded", "insecure-open"]),
  role: z.enum(TOKEN_ROLES).exactOptional(),
  /** Until when the token is good; absent with a role: it does not expire. */
  expires: time.exactOptional(),
});
export type LoginView = z.infer<typeof loginViewSchema>;

export const tokenListSchema = z.object({ tokens: z.array(tokenViewSchema) });
export const memberListSchema = z.object({ members: z.array(memberViewSchema) });

/** Why a request was not granted (RFC 9457). `code` is one of the error codes. */
export const problemSchema = z.object({
  type: z.string().default("about:blank"),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
});
