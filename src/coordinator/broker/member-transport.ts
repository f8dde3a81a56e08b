import type { Clock } from "../../lib/clock.ts";
import { isLoopbackHost } from "../../lib/host-port.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import type { TransportOffer } from "../../protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../protocol/messages/events.ts";
import { connectTransport } from "../../transport/connect.ts";
import type { TakeUpgrade } from "../port/server.ts";
import { BrokerLink } from "./broker-link.ts";
import { type BrokerSetup, offerOf, offerWarning } from "./broker-setup.ts";
import { type TicketHolder, Tickets } from "./tickets.ts";

interface BrokerPartOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly emit: (event: CoordinatorEvent) => void;
}

export interface OfferTo {
  /** Where the member is. */
  readonly address: string;
  /** It goes on with a copy: its ticket stays what it was. */
  readonly rejoined: boolean;
}

/** The transport for one member, and what a person should know of it. */
export interface Offer {
  readonly transport: TransportOffer;
  readonly warnings: readonly string[];
}

/** What the coordinator has to do with the broker: its own link, and what members are told. */
export interface BrokerPart extends AsyncDisposable {
  readonly setup: BrokerSetup;
  /** Not opened yet. */
  readonly link: BrokerLink;
  /** Takes the connections to the embedded relay. */
  readonly relay?: TakeUpgrade;
  offer(holder: TicketHolder, to: OfferTo): Offer;
  revoke(memberId: string): void;
  /** Makes a ticket valid that was given out by the coordinator before this one. */
  restore(holder: TicketHolder, ticket: string): void;
}

export async function openBroker(setup: BrokerSetup, options: BrokerPartOptions): Promise<BrokerPart> {
  const tickets = new Tickets(options.random);
  const { clock, random, emit, logger } = options;
  const common = {
    setup,
    offer: (holder: TicketHolder, { address, rejoined }: OfferTo): Offer => {
      const ticket = () => (rejoined ? tickets.keep(holder) : tickets.issue(holder));
      return {
        transport: offerOf(setup, setup.kind === "embedded" ? ticket() : ""),
        warnings: warningsFor(setup, { holder, address, emit }),
      };
    },
    revoke: (memberId: string) => tickets.revoke(memberId),
    restore: (holder: TicketHolder, ticket: string) => void tickets.load(holder, ticket),
  };
  const linkOptions = { shown: setup.shown, clock, random, emit };
  if (setup.kind !== "embedded") {
    const { kind, ownUrl } = setup;
    const connect = (signal: AbortSignal) =>
      connectTransport({ kind, url: ownUrl }, { clientName: "fanfold coordinator", clock, signal });
    const link = new BrokerLink({ ...linkOptions, quiet: false, connect });
    return { ...common, link, [Symbol.asyncDispose]: () => link.close() };
  }
  const { createRelay } = await import("../../transport/embedded/relay.ts");
  const { connectRouter } = await import("../../transport/memory.ts");
  const relay = createRelay({ authorize: (ticket) => tickets.authorize(ticket), logger });
  const link = new BrokerLink({
    ...linkOptions,
    quiet: true,
    connect: async () => connectRouter(relay.router, { kind: "embedded" }),
  });
  return {
    ...common,
    link,
    relay: (request, socket, head) => relay.handleUpgrade(request, socket, head),
    [Symbol.asyncDispose]: async () => {
      await link.close();
      await relay.close();
    },
  };
}

interface WarningContext {
  readonly holder: TicketHolder;
  readonly address: string;
  readonly emit: (event: CoordinatorEvent) => void;
}

/** A client elsewhere that is told an address which means itself there. */
function warningsFor(setup: BrokerSetup, { holder, address, emit }: WarningContext): readonly string[] {
  const message = isLoopbackHost(address) ? undefined : offerWarning(setup);
  if (message === undefined) return [];
  emit({
    type: "warning",
    code: "broker-loopback",
    message: `The ${holder.role} "${holder.name}" (${address}): ${message}`,
  });
  return [message];
}
