import { STATUS_CODES } from "node:http";
import { type ErrorCode, FanfoldError } from "../../lib/errors.ts";
import type { TextAnswer } from "../port/routes.ts";

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  usage: 400,
  damaged: 400,
  "token-missing": 401,
  "token-damaged": 401,
  "token-unknown": 401,
  "token-expired": 401,
  "token-revoked": 401,
  "token-role": 403,
  "token-used-up": 403,
  refused: 403,
  "member-unknown": 404,
  "name-taken": 409,
  "payload-too-large": 413,
  "too-many": 429,
  "disk-full": 507,
};

/** Why a request is not granted, as RFC 9457 has it: with a code of ours. */
export function problemAnswer(thrown: unknown, status?: number): TextAnswer {
  const { code, message } = FanfoldError.from(thrown);
  const number = status ?? STATUS[code] ?? 500;
  const problem = {
    type: "about:blank",
    title: STATUS_CODES[number] ?? "Error",
    status: number,
    detail: message,
    code,
  };
  return {
    status: number,
    type: "application/problem+json",
    body: `${JSON.stringify(problem)}\n`,
    ...(number === 401 ? { headers: { "www-authenticate": "Bearer" } } : {}),
  };
}
