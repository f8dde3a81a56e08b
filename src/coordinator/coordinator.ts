import { hostname, networkInterfaces } from "node:os";
import { throwIfAborted } from "../lib/async/abort.ts";
import { systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { type Logger, silentLogger } from "../lib/logger.ts";
import { memo } from "../lib/memo.ts";
import { isLoopbackHost } from "../lib/net/host-port.ts";
import { systemRandom } from "../lib/random.ts";
import { Attempts } from "./access/attempts.ts";
import { announce } from "./announce.ts";
import { type BrokerFiles, readBrokerFiles } from "./broker/broker-files.ts";
import { resolveBroker } from "./broker/broker-setup.ts";
import { openBroker } from "./broker/member-transport.ts";
import { COORDINATOR_DEFAULTS, type CoordinatorParts } from "./coordinator-defaults.ts";
import { openState } from "./history/open-state.ts";
import { type RetentionOptions, retentionOf } from "./history/retention.ts";
import { checkNotices, type NoticeOptions } from "./notices/notices.ts";
import { type Coordinator, OpenCoordinator } from "./open-coordinator.ts";
import { accessModeOf } from "./port/access-mode.ts";
import { clientAddresses, hostNames } from "./port/addresses.ts";
import { ControlConnection } from "./port/control-connection.ts";
import { routesOf } from "./port/routes.ts";
import { CoordinatorServer, type Services } from "./port/server.ts";
import { abandon, assemble, type Ground, type Running, takeUp } from "./running.ts";
import type { Registry } from "./session/registry.ts";
import { warnOfOpenKeys } from "./tls/open-keys.ts";
import type { TlsMaterial } from "./tls/tls-front.ts";
import { type TlsFiles, TlsSetup } from "./tls/tls-setup.ts";
import { EventLog } from "./views/event-log.ts";

export interface CoordinatorOptions extends BrokerFiles, TlsFiles, RetentionOptions, NoticeOptions, CoordinatorParts {
  /** The address that it listens on. On another one than loopback it serves TLS and asks for tokens. @default {"127.0.0.1"} */
  readonly host?: string;
  /** 0 takes a free one. @default {7337} */
  readonly port?: number;
  /** `embedded`, or the URL of a NATS or RabbitMQ broker. @default {"embedded"} */
  readonly broker?: string;
  /** What clients are told, where it differs from `broker`. */
  readonly brokerPublicUrl?: string;
  /** `user:password` or a token, instead of those in the URL. */
  readonly brokerCredentials?: string;
  /** The same for clients: `user:password` or a token. */
  readonly brokerPublicCredentials?: string;
  /** How long the credentials for a broker are good that the coordinator makes; for tests. @default 12 hours */
  readonly credentialsTtlMs?: number;
  /** Made when missing; belongs to one coordinator at a time. A function is told the port that was taken. */
  readonly stateDir: FilePath | ((port: number) => FilePath);
  /** Further names under which browsers may address this coordinator; members may use any. */
  readonly allowHosts?: readonly string[];
  /** Tokens and TLS also where only this machine can reach the port: for one that something else publishes. */
  readonly requireToken?: boolean;
  /** Neither, also where other machines can reach it. */
  readonly insecureOpen?: boolean;
  /** Closes the coordinator, with its reason. */
  readonly signal: AbortSignal;
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
  const access = accessModeOf({ ...options, host });
  const tls = new TlsSetup({ access, files: options, clock });
  const { broker: brokerName = COORDINATOR_DEFAULTS.broker } = options;
  const { credentialsTtlMs } = options;
  const files = readBrokerFiles(options, { random, broker: brokerName, credentialsTtlMs });
  const setup = resolveBroker({ ...options, ...files, broker: brokerName });
  const retention = retentionOf(options);
  await checkNotices(options);
  const log = new EventLog();
  await using opening = new AsyncDisposableStack();
  try {
    const rules = { bindHost: host, machineName: hostname(), allowHosts: options.allowHosts ?? [] };
    const attempts = new Attempts(clock);
    const isSuspect = (address: string) => attempts.isBanned({ address });
    const server = opening.use(new CoordinatorServer({ host, port, rules, tls: tls.mode, clock, isSuspect }));
    const bound = await server.listen();
    const state = await openState(options.stateDir, { port: bound.port, retention, at: clock.date() });
    const store = opening.use(state.store);
    const broker = opening.use(
      await openBroker(setup, { store, clock, random, logger, emit: (e) => log.emit(e), isInside: access === "open" }),
    );
    throwIfAborted(options.signal);
    const parts = { ...state, told: options, broker, attempts, log, clock, random, logger };
    const running = assemble({ ...parts, isGuarded: access === "guarded", access });
    opening.defer(() => abandon(running));
    const { room } = running;
    const interfaces = networkInterfaces();
    const addresses = clientAddresses({ ...bound, host, access, names: rules.allowHosts }, interfaces);
    const material = tls.material({ ...state, hosts: [host, ...hostNames(hostname(), interfaces)], random });
    const firstTokens = room.open({ addresses, bound, identity: material?.identity });
    announce(log, { addresses, loopbackOnly: isLoopbackHost(bound.address), access, broker });
    warnOfOpenKeys(options, (event) => log.emit(event));
    takeUp(running, { ...state, broker, clock });
    server.serve(servicesOf(running, { broker, access, material, clock, logger }));
    broker.link.open();
    opening.move();
    return new OpenCoordinator({
      port: bound.port,
      addresses,
      firstTokens,
      signal: options.signal,
      log,
      server,
      tls,
      broker,
      store,
      ...running,
    });
  } catch (thrown) {
    throw FanfoldError.from(thrown);
  }
}

interface ServiceParts extends Pick<Ground, "broker" | "access" | "clock" | "logger"> {
  readonly material: TlsMaterial | undefined;
}

/** What stands behind the port. */
function servicesOf(running: Running, { broker, access, material, clock, logger }: ServiceParts): Services {
  return {
    control: (socket, visitor) => serve(running.registry, new ControlConnection(socket, { ...visitor, clock }), logger),
    relay: broker.relay,
    routes: routesOf(() => broker.link.trouble, access),
    api: running.room.api,
    // Loaded when somebody opens it: most coordinators are only looked at from a terminal.
    page: memo(async () => (await import("./page/page-files.ts")).readPage()),
    tls: material,
  };
}

function serve(registry: Registry, connection: ControlConnection, logger: Logger): void {
  connection.open();
  registry.serve(connection).catch((thrown: unknown) => {
    const failure = FanfoldError.from(thrown);
    logger.debug("serving a client failed", { address: connection.address, reason: failure.message });
    connection.refuse("internal", failure.message);
  });
}
