import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { ServerTrust } from "../../../src/lib/tls/server-trust.ts";
import { connectEmbedded } from "../../../src/transport/embedded/client.ts";
import type { Subscription, Transport, TransportMessage } from "../../../src/transport/transport.ts";
import { MAY_ALL, startRelayServer, ticketNamed } from "../brokers/relay-server.ts";
import { selfMade } from "../tls/certificates.ts";
import { ForwardingTransport } from "./forwarding-transport.ts";
import { createMemoryBroker } from "./memory-broker.ts";

/**
 * What carries a session whose members share one process: memory alone, or the relay, as beyond one machine. `relay` is for
 * sealed sessions, and has no TLS.
 */
export type SessionCarrier = "memory" | "relay" | "relay-over-tls";

/** Where a test says nothing else: `FANFOLD_TEST_ACCESS=guarded npm test` runs the same sessions over TLS. */
const USUAL_CARRIER: SessionCarrier = process.env["FANFOLD_TEST_ACCESS"] === "guarded" ? "relay-over-tls" : "memory";

export interface SessionBroker {
  connect(): Promise<Transport>;
}

/** Its links are closed when the test is over. */
export async function openSessionBroker(
  preferredPayloadBytes: number,
  carrier = USUAL_CARRIER,
): Promise<SessionBroker> {
  if (carrier === "memory") {
    const broker = createMemoryBroker({ preferredPayloadBytes });
    return { connect: async () => broker.connect() };
  }
  const pair = selfMade();
  const { port, close } = await startRelayServer({ authorize: () => MAY_ALL, tls: pair });
  const links: Transport[] = [];
  onTestFinished(async () => {
    await Promise.all(links.map((link) => link.close()));
    await close();
  });
  return {
    async connect() {
      const isSealed = carrier === "relay";
      const target = { kind: "embedded" as const, host: "127.0.0.1", port, ticket: ticketNamed("good"), isSealed };
      const tls = new ServerTrust({ pin: pair.pin });
      const signal = new AbortController().signal;
      const link = await connectEmbedded({ ...target, tls }, { clientName: "session", clock: systemClock, signal });
      links.push(link);
      return new SizedTransport(link, preferredPayloadBytes);
    },
  };
}

/** With payloads of the size that a test is made for. */
class SizedTransport extends ForwardingTransport {
  readonly #preferredPayloadBytes: number;

  constructor(inner: Transport, preferredPayloadBytes: number) {
    super(inner);
    this.#preferredPayloadBytes = preferredPayloadBytes;
  }

  override get capabilities() {
    return { ...super.capabilities, preferredPayloadBytes: this.#preferredPayloadBytes };
  }

  protected override received(inner: Subscription): AsyncIterator<TransportMessage, void, undefined> {
    return inner[Symbol.asyncIterator]();
  }
}
