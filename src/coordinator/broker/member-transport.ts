import type { Clock } from "../../lib/clock.ts";
import type { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorMessage } from "../../protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { TransportOffer } from "../../protocol/messages/transport-offer.ts";
import { SessionExchanges } from "../../transport/amqp/session-exchanges.ts";
import { connectTransport } from "../../transport/connect.ts";
import type { TransportTarget } from "../../transport/target.ts";
import type { Transport } from "../../transport/transport.ts";
import type { RelayGate } from "../port/server.ts";
import { BrokerLink } from "./broker-link.ts";
import { type BrokerSetup, offerOf, offerWarning, ownTarget, type Sealing, sealingOf } from "./broker-setup.ts";
import type { NatsRemovals, NatsShutOuts } from "./nats-removals.ts";
import { Renewals } from "./renewals.ts";
import { type TicketHolder, Tickets } from "./tickets.ts";

interface BrokerPartOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly emit: (event: CoordinatorEvent) => void;
  readonly store: { readonly shutOuts: NatsShutOuts };
  /** Everybody is on this machine: nobody from elsewhere can come in. */
  readonly isInside: boolean;
}

/** The member's connection. */
interface Addressee {
  /** Where the member is. */
  readonly address: string;
  /** Aborts when it is not connected any more. */
  readonly gone: AbortSignal;
  send(message: CoordinatorMessage): void;
}

export interface OfferTo {
  readonly connection: Addressee;
  /** It goes on with a copy: its ticket stays what it was. */
  readonly rejoined: boolean;
}

/** The transport for one member, and what a person should know of it. */
export interface Offer {
  readonly transport: TransportOffer;
  readonly warnings: readonly string[];
  readonly sealing: Sealing;
}

/** What the coordinator has to do with the broker: its own link, and what members are told. */
export interface BrokerPart extends AsyncDisposable {
  readonly setup: BrokerSetup;
  /** Not opened yet. */
  readonly link: BrokerLink;
  /** Takes the connections to the embedded relay. */
  readonly relay?: RelayGate;
  offer(holder: TicketHolder, to: OfferTo): Offer;
  /** Nothing of its session comes to a member any more. */
  revoke(memberId: string): void;
  /** The same, and its open connections are good for nothing any more. At a NATS server `shutOut` does that. */
  cut(memberId: string): void;
  /** Whatever this identity got for the broker is void, in every session and whoever else has it. */
  shutOut(identity: string): void;
  /** A session begins at an epoch, or goes on: whether all of it is known to be sealed. */
  begin(sessionId: string, isSealed: boolean): void;
  /** A session has ended: nothing is left of it at the broker. */
  over(sessionId: string): void;
  /** Makes a ticket valid that was given out by the coordinator before this one. Without one, the member has no rights. */
  restore(holder: TicketHolder, ticket: string | undefined): void;
}

export async function openBroker(setup: BrokerSetup, options: BrokerPartOptions): Promise<BrokerPart> {
  const { clock, random, emit, logger, isInside } = options;
  const sealing = sealingOf(setup, isInside);
  const tickets = new Tickets(random);
  const exchanges = setup.kind === "amqp" ? sessionExchanges(clock, emit) : undefined;
  const renewals = renewalsOf(setup, clock);
  const revoke = (memberId: string): void => {
    renewals?.end(memberId);
    tickets.revoke(memberId);
    exchanges?.remove(memberId);
  };
  const over = (sessionId: string): void => {
    tickets.over(sessionId);
    exchanges?.end(sessionId);
  };
  const common = {
    setup,
    offer: (holder: TicketHolder, { connection, rejoined }: OfferTo): Offer => {
      const plain = sealing !== "free" && tickets.mayBeExposed(holder.sessionId);
      const ticket = () => (rejoined ? tickets.keep(holder) : tickets.issue(holder));
      const transport = (): TransportOffer => offerOf(setup, { holder, now: clock.date(), ticket, plain });
      const renew = (): void => connection.send({ type: "transport", transport: transport() });
      if (exchanges !== undefined) admit(exchanges, holder);
      renewals?.begin(holder.memberId, connection.gone, renew);
      const warnings = warningsFor(setup, { holder, address: connection.address, emit });
      return { transport: transport(), warnings, sealing };
    },
    revoke,
    begin: (sessionId: string, isSealed: boolean) => tickets.begin(sessionId, isSealed),
    over,
    restore: (holder: TicketHolder, ticket: string | undefined): void => {
      if (exchanges !== undefined) readmit(exchanges, holder, ticket);
      else if (ticket !== undefined) tickets.load(holder, ticket);
    },
  };
  const linkOptions = { shown: setup.shown, clock, random, emit };
  if (setup.kind !== "embedded") {
    const own = ownTarget(setup, () => clock.date());
    const removals = await removalsOf(setup, own, options);
    const target = own.kind === "amqp" ? { ...own, exchanges } : own;
    const connect = (signal: AbortSignal) =>
      connectTransport(target, { clientName: "fanfold coordinator", clock, signal });
    const link = new BrokerLink({ ...linkOptions, quiet: false, connect, connected: () => removals?.connected() });
    const close = async (): Promise<void> => {
      await removals?.[Symbol.asyncDispose]();
      await exchanges?.close();
      await link.close();
    };
    const shutOut = (identity: string): void => removals?.shutOut(identity);
    return { ...common, link, cut: revoke, shutOut, [Symbol.asyncDispose]: close };
  }
  const { createRelay } = await import("../../transport/embedded/relay.ts");
  const { connectRouter } = await import("../../transport/router-transport.ts");
  const relay = createRelay({ find: (ticketId) => tickets.find(ticketId), random, logger });
  const connect = async (): Promise<Transport> => connectRouter(relay.router, { kind: "embedded" });
  const link = new BrokerLink({ ...linkOptions, quiet: true, connect });
  return {
    ...common,
    link,
    cut: (memberId) => {
      revoke(memberId);
      relay.cut(memberId);
    },
    shutOut: () => undefined,
    relay: (socket, first, visitor) => relay.take(socket, first, visitor),
    [Symbol.asyncDispose]: async () => {
      await link.close();
      await relay.close();
    },
  };
}

function sessionExchanges(clock: Clock, emit: (event: CoordinatorEvent) => void): SessionExchanges {
  const failed = ({ code, message }: FanfoldError): void => emit({ type: "warning", code, message });
  return new SessionExchanges({ clock, failed });
}

function admit(exchanges: SessionExchanges, { role, sessionId, memberId }: TicketHolder): void {
  if (role === "sink") exchanges.admitSink(sessionId, memberId);
  else exchanges.admit(sessionId);
}

/** Of a sink without a ticket nothing is left. */
function readmit(exchanges: SessionExchanges, holder: TicketHolder, ticket: string | undefined): void {
  if (holder.role === "sink" && ticket === undefined) exchanges.removeFrom(holder.sessionId, holder.memberId);
  else admit(exchanges, holder);
}

/** Loaded only for a NATS server with rights of its own. */
async function removalsOf(
  setup: BrokerSetup,
  target: TransportTarget,
  { clock, emit, store }: BrokerPartOptions,
): Promise<NatsRemovals | undefined> {
  if (setup.kind !== "nats" || setup.granter?.kind !== "nats" || target.kind !== "nats") return undefined;
  const { NatsRemovals } = await import("./nats-removals.ts");
  return new NatsRemovals({ granter: setup.granter, target, clock, emit, shutOuts: store.shutOuts });
}

/** Credentials are renewed at half of their life; tickets have no end. */
function renewalsOf(setup: BrokerSetup, clock: Clock): Renewals | undefined {
  if (setup.kind === "embedded" || setup.granter === undefined) return undefined;
  return new Renewals({ clock, everyMs: setup.granter.ttlMs / 2 });
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
