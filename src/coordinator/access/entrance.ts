import type { Clock } from "../../lib/clock.ts";
import { type ErrorCode, FanfoldError } from "../../lib/errors.ts";
import type { Hello } from "../../protocol/messages/control.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import type { Access, Arrival } from "./access.ts";
import type { Attempts, Failed } from "./attempts.ts";
import { checkProof } from "./proof.ts";

interface EntranceOptions {
  readonly access: Access;
  readonly attempts: Attempts;
  readonly clock: Clock;
}

/** What speaks for somebody who has no right to come in, not for trouble of the coordinator. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  "proof-refused",
  "token-missing",
  "token-damaged",
  "token-unknown",
  "token-expired",
  "token-revoked",
  "token-role",
  "token-session",
  "token-used-up",
  "member-removed",
]);

/** Where a client proves who it is, and is let in or not. Whoever fails again and again waits longer for the answer. */
export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** Whether the client is who it says it is, and may come in. It is told when not. `nonce`: its challenge. */
  async letsIn(connection: ControlConnection, hello: Hello, nonce: string): Promise<boolean> {
    const { address, pin } = connection;
    const { role, session, key: identity, label, token, timeMs: clientTimeMs } = hello;
    try {
      checkProof(hello, { nonce, pin });
      this.#options.access.admit({ role, session, identity, label, address, token, clientTimeMs });
      connection.authenticated();
      return true;
    } catch (thrown) {
      const { code, message } = await this.refusal(FanfoldError.from(thrown), { address, identity }, connection.gone);
      connection.refuse(code, message);
      return false;
    }
  }

  /** Whether a member may enter a session of this name, too. */
  mayEnter(member: Pick<Arrival, "identity" | "role">, session: string): boolean {
    return this.#options.access.mayEnter(member, session);
  }

  /** A member that was let in is called so in its session. */
  called(member: Pick<Arrival, "identity" | "role">, name: string): void {
    this.#options.access.called(member, name);
  }

  /** What somebody who failed is told, after the time that it has to wait for it. Never rejects. */
  async refusal(failure: FanfoldError, who: Failed, signal: AbortSignal): Promise<FanfoldError> {
    const { attempts, clock } = this.#options;
    if (!FAILURES.has(failure.code)) return failure;
    attempts.failed(who);
    const delayMs = attempts.delayMs(who);
    if (delayMs > 0) await clock.sleep(delayMs, signal).catch(() => undefined);
    return attempts.isBanned(who) ? banned(failure) : failure;
  }
}

/** Says nothing of the reason: who guesses learns no more. */
function banned(cause: FanfoldError): FanfoldError {
  return new FanfoldError(
    "too-many",
    "cannot let anybody in who failed so often from there; what is right is let in at any time, all else is told why again after 15 minutes without a try",
    { cause },
  );
}
