import { type ClientRequest, request as plainRequest, type RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import type { OutboxEntry } from "./notice-outbox.ts";
import { webhookSignature } from "./webhook-signature.ts";

const ANSWER_WITHIN_MS = 15_000;
/** What the receiver answers besides its status is of no interest. */
const ANSWER_BYTES_MAX = 64 * 1024;
const URL_CHARS_MAX = 2048;

export interface WebhookOptions {
  readonly url: URL;
  readonly secret: Uint8Array | undefined;
  readonly software: string;
  readonly clock: Clock;
  /** @default 15 s */
  readonly answerWithinMs?: number;
}

/** @throws FanfoldError `usage` */
export function parseWebhookUrl(text: string): URL {
  const url = URL.canParse(text) && text.length <= URL_CHARS_MAX ? new URL(text) : undefined;
  const isWell = url !== undefined && (url.protocol === "http:" || url.protocol === "https:");
  // What is in a URL may be a secret, so it is not shown.
  if (isWell && url.username === "" && url.password === "") return url;
  throw new FanfoldError(
    "usage",
    `cannot use the URL of the webhook: want http:// or https://, at most ${URL_CHARS_MAX} characters, and no user and password in it; --webhook-secret-file signs what is sent`,
  );
}

/** Posts one notice. A redirect is not followed: what is sent is for this receiver. @throws FanfoldError `refused` */
export async function postNotice(
  { id, body }: Pick<OutboxEntry, "id" | "body">,
  { url, secret, software, clock, answerWithinMs = ANSWER_WITHIN_MS }: WebhookOptions,
  signal: AbortSignal,
): Promise<void> {
  const timestampSeconds = Math.floor(clock.date().getTime() / 1000);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": software,
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    ...(secret === undefined ? {} : { "webhook-signature": webhookSignature(secret, { id, timestampSeconds, body }) }),
  };
  const what = `cannot tell the webhook at ${url.host}`;
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new FanfoldError("refused", `${what}: no answer within ${answerWithinMs / 1000} s`)),
    answerWithinMs,
  );
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    const status = await exchange(url, { method: "POST", headers, signal: both, agent: false }, body).catch(
      (cause: unknown) => {
        if (both.aborted) throw FanfoldError.from(both.reason);
        throw new FanfoldError("refused", `${what}: ${reasonOf(cause)}`, { cause });
      },
    );
    if (status >= 200 && status < 300) return;
    const hint = status >= 300 && status < 400 ? ", and redirects are not followed" : "";
    throw new FanfoldError("refused", `${what}: it answers with HTTP status ${status}${hint}`);
  } finally {
    clearTimeout(timer);
  }
}

/** The status of the answer, once the answer has come or has become too long. */
function exchange(url: URL, options: RequestOptions, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = url.protocol === "https:" ? secureRequest(url, options) : plainRequest(url, options);
    asked.once("error", reject);
    asked.once("response", (response) => {
      const status = response.statusCode ?? 0;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= ANSWER_BYTES_MAX) return;
        response.destroy();
        resolve(status);
      });
      response.once("error", reject);
      response.once("end", () => resolve(status));
    });
    asked.end(body);
  });
}
