import type { FanfoldError } from "../../lib/errors.ts";
import type { BufferPool } from "../../lib/memory/buffer-pool.ts";
import type { ClientCertificate } from "../../lib/tls/client-certificate.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import type { Welcome } from "../../member/inbox.ts";
import type { LiveTarget } from "../../member/join.ts";
import { openTransports } from "../../member/session-transports.ts";
import { subjectsOf, upSubject } from "../../protocol/subjects.ts";
import type { Transport } from "../../transport/transport.ts";
import type { SinkRuntime, SinkUp } from "./copy-parts.ts";
import { Intake } from "./intake.ts";

/** A sink's ends of the transport of one session. */
export interface SinkWire extends AsyncDisposable {
  readonly live: LiveTarget;
  readonly down: Transport;
  readonly up: SinkUp;
  /** Subscribed. */
  readonly intake: Intake;
}

interface SinkWireOptions {
  readonly welcome: Welcome;
  readonly address: CoordinatorAddress;
  /** For a broker that asks its clients for certificates. */
  readonly brokerCertificate?: ClientCertificate | undefined;
  /** Memory for payloads. */
  readonly buffers: BufferPool;
  readonly runtime: SinkRuntime;
  /** Nothing is said over it, and nothing is taken, that is not sealed. */
  readonly isSealed: boolean;
  /** Takes part in the data for all sinks. */
  readonly withData: boolean;
  readonly onFailure: (error: FanfoldError) => void;
}

const DRAIN_MS_MAX = 2_000;

/** Resolves when what is published from then on arrives; `signal` ends the opening only. */
export async function openWire(options: SinkWireOptions, signal: AbortSignal): Promise<SinkWire> {
  const { welcome, runtime, onFailure } = options;
  const { id: memberId, name } = welcome.member;
  await using opening = new AsyncDisposableStack();
  const opened = await openTransports({
    ...options,
    ...{ who: `sink ${name}`, emit: runtime.emit, clock: runtime.clock, onEnd: onFailure, signal },
  });
  const { live, bulk: down, reports } = opened;
  opening.defer(() => down.close());
  opening.defer(() => reports.drain({ signal: AbortSignal.timeout(DRAIN_MS_MAX) }).catch(() => reports.close()));
  const subjects = subjectsOf(welcome.sessionId);
  const intake = await Intake.open(
    { transport: down, subjects, memberId, onFailure, signal: runtime.signal },
    options.withData,
    signal,
  );
  const closing = opening.move();
  return {
    ...{ live, down, intake },
    up: { transport: reports, subject: upSubject(subjects, memberId) },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
