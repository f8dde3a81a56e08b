import { Backoff } from "../../lib/async/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import { type ControlLink, openControlLink } from "../../member/control-link.ts";
import { signedHello } from "../../member/credential.ts";
import type { SourceIntroduction } from "../hello.ts";

const RETRY_MS = { minMs: 2_000, maxMs: 60_000 };

interface StandbyOptions extends SourceIntroduction {
  readonly address: CoordinatorAddress;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Listens to the coordinator between two runs [P-1.12]. Resolves when a run is wanted now. A coordinator that is away is tried
 * again and again. One that refuses is not asked any more: the next run tells why.
 *
 * @throws the signal's reason
 */
export async function standBy(options: StandbyOptions, signal: AbortSignal): Promise<void> {
  const { address, clock, random } = options;
  const backoff = new Backoff({ ...RETRY_MS, random });
  for (;;) {
    const link = await openControlLink(address, signal).catch(() => undefined);
    signal.throwIfAborted();
    const end = link === undefined ? "lost" : await listen(link, options, signal);
    if (end === "run") return;
    if (end === "refused") await new Promise<never>((_, reject) => whenAborted(signal, () => reject(signal.reason)));
    if (end === "met") backoff.reset();
    await clock.sleep(backoff.nextMs(), signal);
  }
}

/** How one connection ended: `met`, after the coordinator had answered. */
async function listen(
  link: ControlLink,
  { hello, credential, clock }: StandbyOptions,
  signal: AbortSignal,
): Promise<"run" | "refused" | "met" | "lost"> {
  let end: "met" | "lost" = "lost";
  using _closing = whenAborted(signal, () => void link.close());
  try {
    for await (const message of link.messages) {
      if (message.type === "run" || message.type === "refused") return message.type === "run" ? "run" : "refused";
      if (message.type !== "challenge") continue;
      end = "met";
      const moment = { nonce: message.nonce, pin: link.pin, timeMs: clock.date().getTime() };
      link.send(signedHello({ ...hello, standby: true }, credential, moment));
    }
  } finally {
    await link.close();
  }
  signal.throwIfAborted();
  return end;
}

function whenAborted(signal: AbortSignal, work: () => void): Disposable {
  if (signal.aborted) work();
  else signal.addEventListener("abort", work, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", work) };
}
