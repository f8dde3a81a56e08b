import { abortable } from "../../lib/async/abort.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { ConnectOptions, NatsTarget } from "../target.ts";
import { reasonOf } from "./nats-errors.ts";
import { openNats } from "./open-nats.ts";

const ANSWER_TIMEOUT_MS = 5_000;

interface NatsQuestion {
  readonly subject: string;
  readonly text: string;
  /** Below it the answer comes. */
  readonly inboxPrefix: string;
}

/**
 * Asks a NATS server once, over a link of its own. Gives the first answer.
 *
 * @throws FanfoldError as `openNats` does; `broker-denied` when no answer comes
 */
export async function askNats(
  target: NatsTarget,
  { subject, text, inboxPrefix }: NatsQuestion,
  options: ConnectOptions,
): Promise<string> {
  const { connection } = await openNats(target, { ...options, inboxPrefix });
  try {
    const asking = connection.request(subject, text, { timeout: ANSWER_TIMEOUT_MS });
    return (await abortable(asking, options.signal)).string();
  } catch (thrown) {
    options.signal.throwIfAborted();
    throw new FanfoldError("broker-denied", `the NATS server did not answer on "${subject}": ${reasonOf(thrown)}`, {
      cause: thrown,
    });
  } finally {
    await connection.close();
  }
}
