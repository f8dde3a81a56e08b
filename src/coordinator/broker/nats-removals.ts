import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import { askNats } from "../../transport/nats/nats-request.ts";
import type { NatsTarget } from "../../transport/target.ts";
import type { ShutOuts } from "../history/shut-outs.ts";
import type { NatsGranter } from "./granter.ts";
import { fanfoldAccountJwt } from "./nats-account.ts";
import { claimsSubject, REMOVER_INBOX, type Revocations, userJwt } from "./nats-jwt.ts";
import type { NatsRemover } from "./nats-seeds.ts";

/** A server that was started again has forgotten what it was told, and in a cluster nobody says so. */
const AGAIN_MS = 60_000;
const RETRY_MS = 5_000;
/** For one connection. */
const REMOVER_TTL_MS = 5 * 60_000;

/** What of it is used here. */
export type NatsShutOuts = Pick<ShutOuts, "all" | "add" | "signedUpTo" | "keepSignedUpTo">;

interface NatsRemovalsOptions {
  readonly granter: NatsGranter;
  /** How the coordinator reaches the server; its credentials are replaced. */
  readonly target: NatsTarget;
  readonly shutOuts: NatsShutOuts;
  readonly clock: Clock;
  readonly emit: (event: CoordinatorEvent) => void;
}

/**
 * Tells a NATS server whose credentials are void: it ends their connections, and takes no new ones. It is told again at each
 * connection of the coordinator, and each minute, for as long as such credentials would be good.
 */
export class NatsRemovals implements AsyncDisposable {
  readonly #options: NatsRemovalsOptions;
  readonly #closing = new AbortController();
  /** Aborts when there is something to tell. */
  #wake = new AbortController();
  #said = "";
  readonly #running: Promise<void>;

  constructor(options: NatsRemovalsOptions) {
    this.#options = options;
    const { granter, shutOuts, clock } = options;
    granter.users.continueFrom(shutOuts.signedUpTo(), (upTo) =>
      this.#keeping("what time credentials have", () => shutOuts.keepSignedUpTo(upTo)),
    );
    for (const { identity, at } of shutOuts.all(clock.date())) granter.users.restore(identity, at);
    this.#running = this.#run();
  }

  /** All that this identity got is void from now on. */
  shutOut(identity: string): void {
    const { granter, shutOuts, clock, emit } = this.#options;
    const now = clock.date();
    const upTo = granter.users.shutOut(identity, now);
    this.#keeping("who was removed", () => shutOuts.add(identity, upTo, now));
    if (granter.seeds.remover === undefined)
      emit({
        type: "warning",
        code: "not-cut-off",
        message:
          'a removed member keeps its rights at the NATS server until its session ends: the file of --nats-seeds has no keys to change that; end the session, or make a new set-up with "fanfold nats-setup"',
      });
    else this.#wake.abort();
  }

  /** The server can be reached, perhaps for the first time, and may know nothing. */
  connected(): void {
    this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new FanfoldError("closed", "The coordinator closes its connection to the broker"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await clock.sleep(await this.#tell(signal), either).catch(() => undefined);
    }
  }

  /** How long to wait before it has to be told again. */
  async #tell(signal: AbortSignal): Promise<number> {
    const { granter, clock } = this.#options;
    const { remover } = granter.seeds;
    const revocations = granter.users.revocations(clock.date());
    if (remover === undefined || Object.keys(revocations).length === 0) return AGAIN_MS;
    try {
      await this.#ask(remover, revocations, signal);
      this.#said = "";
      return AGAIN_MS;
    } catch (thrown) {
      if (!signal.aborted)
        this.#warn(
          `the NATS server was not told yet whose credentials are void: ${FanfoldError.from(thrown).message}; removed members keep their rights until then`,
        );
      return RETRY_MS;
    }
  }

  async #ask({ operator, system, key }: NatsRemover, revocations: Revocations, signal: AbortSignal): Promise<void> {
    const { granter, target, clock } = this.#options;
    const { seeds } = granter;
    const now = clock.date();
    const user = key.derive("user", "remover");
    const claims = { issuer: key, subject: user.publicKey, name: "coordinator", now, ttlMs: REMOVER_TTL_MS };
    const credentials = { jwt: userJwt({ ...claims, account: system, tags: [] }), seed: user.seed };
    const answer = await askNats(
      { ...target, credentials: () => credentials },
      {
        subject: claimsSubject(seeds.account),
        text: fanfoldAccountJwt(seeds, { issuer: operator, now, revocations }),
        inboxPrefix: REMOVER_INBOX,
      },
      { clientName: "fanfold coordinator, removals", clock, signal },
    );
    const fault = faultOf(answer);
    if (fault !== undefined) throw new FanfoldError("broker-denied", `the server did not take it: ${fault}`);
  }

  /** A disk that is full keeps nobody in, and nobody out. */
  #keeping(what: string, keep: () => void): void {
    try {
      keep();
    } catch (thrown) {
      this.#warn(`cannot keep on disk ${what}: ${FanfoldError.from(thrown).message}`);
    }
  }

  /** The same trouble is told once. */
  #warn(message: string): void {
    if (message === this.#said) return;
    this.#said = message;
    this.#options.emit({ type: "warning", code: "not-cut-off", message });
  }
}

/** What is wrong, in the words of the server; undefined when nothing is. */
function faultOf(answer: string): string | undefined {
  try {
    const { error, data } = JSON.parse(answer) as {
      readonly error?: { readonly description?: unknown };
      readonly data?: { readonly code?: unknown };
    };
    if (error === undefined && data?.code === 200) return undefined;
    return typeof error?.description === "string" ? error.description.slice(0, 200) : "it gave no reason";
  } catch {
    return "it answered something else";
  }
}
