import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { ContactOptions } from "../../member/contact.ts";
import { cutMiddle } from "../../protocol/messages/cut-text.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import type { AmqpTarget, NatsTarget } from "../../transport/target.ts";
import type { Environment } from "../process/program-io.ts";

/** A path may have 4095 bytes, and what a broker says may be longer still. */
export const FINDING_CHARS_MAX = 1000;

export type FindingStatus = "ok" | "warning" | "error" | "skipped";

/** What one look at one thing gave. No text is longer than `FINDING_CHARS_MAX`. */
export interface DoctorFinding {
  /** What was looked at: `port`, `token`, `space`. */
  readonly check: string;
  readonly status: FindingStatus;
  readonly found: string;
  readonly wanted: string;
  /** What a person does about it; empty where there is nothing to do. */
  readonly todo: string;
}

/** What a person asked to look at. Paths are bytes. */
export interface DoctorTask {
  readonly contact: ContactOptions;
  /** Why the token, or the certificate of this client, could not be read. */
  readonly contactFailure: FanfoldError | undefined;
  /** Somebody named the coordinator, by an option or in the environment. */
  readonly namesCoordinator: boolean;
  readonly source: Buffer | undefined;
  readonly sink: Buffer | undefined;
  /** The broker as the coordinator would use it; undefined where none was named. */
  readonly broker: BrokerTask | undefined;
  /** Why its options cannot be used. */
  readonly brokerFailure: FanfoldError | undefined;
  readonly env: Environment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type BrokerTask =
  | { readonly kind: "embedded" }
  | { readonly kind: "remote"; readonly target: NatsTarget | AmqpTarget };

/** Looks at some things, and changes nothing that lasts. */
export type Check = (task: DoctorTask) => readonly DoctorFinding[] | Promise<readonly DoctorFinding[]>;

/** Makes the findings of one check. */
export class Look {
  readonly check: string;
  readonly wanted: string;

  constructor(check: string, wanted: string) {
    this.check = check;
    this.wanted = wanted;
  }

  ok(found: string): DoctorFinding {
    return this.#finding("ok", found, "");
  }

  warning(found: string, todo: string): DoctorFinding {
    return this.#finding("warning", found, todo);
  }

  error(found: string, todo: string): DoctorFinding {
    return this.#finding("error", found, todo);
  }

  /** @param why for which reason nobody looked */
  skipped(why: string, todo = ""): DoctorFinding {
    return this.#finding("skipped", why, todo);
  }

  /** An error as it is told elsewhere: what was found, and behind the first semicolon what to do, else `otherwise`. */
  failed(thrown: unknown, otherwise = "read what was found, and correct it"): DoctorFinding {
    const { message } = FanfoldError.from(thrown);
    const cut = message.indexOf("; ");
    return cut < 0 ? this.error(message, otherwise) : this.error(message.slice(0, cut), message.slice(cut + 2));
  }

  #finding(status: FindingStatus, found: string, todo: string): DoctorFinding {
    const [foundText = "", wanted = "", todoText = ""] = [found, this.wanted, todo].map((text) =>
      cutMiddle(text, FINDING_CHARS_MAX),
    );
    // What a broker says of itself, for one, is shown as it is.
    return withSafeText({ check: this.check, status, found: foundText, wanted, todo: todoText });
  }
}

/** For those who look at one kind of broker. */
export interface BrokerLook {
  readonly look: Look;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
