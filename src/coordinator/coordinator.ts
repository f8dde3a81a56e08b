import { hostname, networkInterfaces } from "node:os";
import type { WebSocket } from "ws";
import { throwIfAborted } from "../lib/abort.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { isLoopbackHost } from "../lib/host-port.ts";
import { type Logger, silentLogger } from "../lib/logger.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import type { CoordinatorEvent, SessionView } from "../protocol/messages/events.ts";
import { resolveBroker } from "./broker/broker-setup.ts";
import { type BrokerPart, openBroker } from "./broker/member-transport.ts";
import { COORDINATOR_DEFAULTS } from "./coordinator-defaults.ts";
import { History } from "./history/history.ts";
import { openStore, type Store } from "./history/store.ts";
import { clientAddresses } from "./port/addresses.ts";
import { ControlConnection } from "./port/control-connection.ts";
import { routesOf } from "./port/routes.ts";
import { CoordinatorServer } from "./port/server.ts";
import { Registry } from "./session/registry.ts";
import { EventLog } from "./views/event-log.ts";
import { SessionViews } from "./views/session-views.ts";

export interface CoordinatorOptions {
  /** @default {"127.0.0.1"} */
  readonly host?: string;
  /** 0 takes a free one. @default {7337} */
  readonly port?: number;
  /** `embedded`, or the URL of a NATS or RabbitMQ broker. @default {"embedded"} */
  readonly broker?: string;
  /** What clients are told, where it differs from `broker`. */
  readonly brokerPublicUrl?: string;
  /** `user:password` or a token, instead of those in the URL. */
  readonly brokerCredentials?: string;
  readonly brokerPublicCredentials?: string;
  /** Made when missing; belongs to one coordinator at a time. A function is told the port that was taken. */
  readonly stateDir: FilePath | ((port: number) => FilePath);
  /** Further names under which browsers may address this coordinator; members may use any. */
  readonly allowHosts?: readonly string[];
  /** Closes the coordinator, with its reason. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** A coordinator that listens. */
export interface Coordinator extends AsyncDisposable {
  readonly port: number;
  /** What to type at `--coordinator`, the most useful first. */
  readonly addresses: readonly string[];
  /** Everything from the opening on for the first reader; from now on for later ones. */
  events(): AsyncIterable<CoordinatorEvent>;
  /** Every session that waits or runs, as it is now. */
  sessions(): readonly SessionView[];
  /** Resolves when all is closed. */
  readonly closed: Promise<void>;
  /** Cuts every member off with the reason, and closes everything; sessions that run go on after a restart. Idempotent. */
  close(reason?: FanfoldError): Promise<void>;
}

/** @throws FanfoldError `usage`, `port-taken`, `state-busy`, `damaged` or `disk-failed`; the reason of an aborted signal */
export async function openCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  throwIfAborted(options.signal);
  const {
    host = COORDINATOR_DEFAULTS.host,
    port = COORDINATOR_DEFAULTS.port,
    clock = systemClock,
    random = systemRandom,
    logger = silentLogger,
  } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new FanfoldError("usage", `cannot listen on port ${port}: want a whole number from 0 to 65535`);
  }
  const setup = resolveBroker({ ...options, broker: options.broker ?? COORDINATOR_DEFAULTS.broker });
  const log = new EventLog();
  await using opening = new AsyncDisposableStack();
  try {
    const rules = { bindHost: host, machineName: hostname(), allowHosts: options.allowHosts ?? [] };
    const server = opening.use(new CoordinatorServer({ host, port, rules }));
    const bound = await server.listen();
    const { stateDir } = options;
    const folder = typeof stateDir === "function" ? stateDir(bound.port) : stateDir;
    const store = opening.use(await openStore(folder, clock.date()));
    const broker = opening.use(await openBroker(setup, { clock, random, logger, emit: (event) => log.emit(event) }));
    throwIfAborted(options.signal);
    const running = assemble({ store, broker, log, clock, random, logger });
    const control = (socket: WebSocket, address: string) =>
      serve(running.registry, new ControlConnection(socket, { address, clock }), logger);
    const addresses = clientAddresses({ host, address: bound.address, port: bound.port }, networkInterfaces());
    announce(log, { addresses, loopbackOnly: isLoopbackHost(bound.address), broker });
    running.registry.restore(running.history.restorable());
    server.serve({ control, relay: broker.relay, routes: routesOf(() => broker.link.trouble) });
    broker.link.open();
    opening.move();
    return new OpenCoordinator({
      port: bound.port,
      addresses,
      signal: options.signal,
      log,
      server,
      broker,
      store,
      ...running,
    });
  } catch (thrown) {
    throw FanfoldError.from(thrown);
  }
}

interface Ground {
  readonly store: Store;
  readonly broker: BrokerPart;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Running {
  readonly registry: Registry;
  readonly views: SessionViews;
  readonly history: History;
}

function assemble({ store, broker, log, clock, random, logger }: Ground): Running {
  const emit = (event: CoordinatorEvent) => log.emit(event);
  const warn = (message: string) => emit({ type: "warning", code: "history-failed", message });
  const views = new SessionViews({ link: broker.link, clock, logger, emit: (view) => emit({ type: "session", view }) });
  const history = new History(store, { clock, warn });
  const registry = new Registry({
    clock,
    random,
    views,
    emit,
    history,
    ready: (signal, tell) => broker.link.reached(signal, tell),
    offer: (holder, to) => broker.offer(holder, to),
    revoke: (memberId) => broker.revoke(memberId),
    restoreTicket: (holder, ticket) => broker.restore(holder, ticket),
  });
  return { registry, views, history };
}

function serve(registry: Registry, connection: ControlConnection, logger: Logger): void {
  connection.open();
  registry.serve(connection).catch((thrown: unknown) => {
    const failure = FanfoldError.from(thrown);
    logger.debug("serving a client failed", { address: connection.address, reason: failure.message });
    connection.refuse("internal", failure.message);
  });
}

interface Announcement {
  readonly addresses: readonly string[];
  readonly loopbackOnly: boolean;
  readonly broker: BrokerPart;
}

function announce(log: EventLog, { addresses, loopbackOnly, broker }: Announcement): void {
  log.emit({ type: "listening", addresses, broker: broker.setup.shown, loopbackOnly });
  if (!loopbackOnly) {
    const message =
      "Listening beyond this machine: anyone who can reach the port can read and send copies; keep the port inside a network that you trust";
    log.emit({ type: "warning", code: "open-to-network", message });
  }
  if (broker.setup.kind !== "embedded" && broker.setup.sharesCredentials) {
    const message =
      "Clients get the coordinator's own credentials for the broker; give them their own with --broker-public-credentials or --broker-public-url";
    log.emit({ type: "warning", code: "credentials-shared", message });
  }
}

interface OpenParts extends Running {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  readonly log: EventLog;
  readonly server: CoordinatorServer;
  readonly broker: BrokerPart;
  readonly store: Store;
}

class OpenCoordinator implements Coordinator {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly closed: Promise<void>;
  readonly #parts: OpenParts;
  readonly #resolveClosed: () => void;
  readonly #abort: () => void;
  #closing = false;

  constructor(parts: OpenParts) {
    this.#parts = parts;
    this.port = parts.port;
    this.addresses = parts.addresses;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#abort = () => void this.close(FanfoldError.from(parts.signal.reason)).catch(() => undefined);
    parts.signal.addEventListener("abort", this.#abort, { once: true });
  }

  events(): AsyncIterable<CoordinatorEvent> {
    return this.#parts.log.events();
  }

  sessions(): readonly SessionView[] {
    return this.#parts.views.snapshot();
  }

  async close(reason?: FanfoldError): Promise<void> {
    if (this.#closing) return await this.closed;
    this.#closing = true;
    const { signal, registry, views, server, broker, store, log } = this.#parts;
    signal.removeEventListener("abort", this.#abort);
    try {
      await registry.close({
        code: "coordinator-lost",
        reason: `The coordinator stops: ${reason?.message ?? "it was closed"}`,
      });
      views[Symbol.dispose]();
      await broker[Symbol.asyncDispose]();
      await server.close();
      store.close();
    } finally {
      log.end();
      this.#resolveClosed();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
