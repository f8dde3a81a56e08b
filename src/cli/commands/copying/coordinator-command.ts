import type { NoticeOptions } from "../../../coordinator/notices/notices.ts";
import type { Want } from "../../../coordinator/notices/wanted.ts";
import type { Coordinator } from "../../../coordinator/open-coordinator.ts";
import type { TlsFiles } from "../../../coordinator/tls/tls-setup.ts";
import { shownPath } from "../../../lib/folder/file-path.ts";
import { defaultCoordinatorState } from "../../../lib/folder/state-folder.ts";
import { PORT_DEFAULT } from "../../../protocol/coordinator-port.ts";
import type { CoordinatorEvent } from "../../../protocol/messages/coordinator-events.ts";
import { pasteLine } from "../../../words/paste-line.ts";
import { readCredentialsFile } from "../../options/credentials-file.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { keepYoungSmall, limitGrowth } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SharedOptions } from "../../terminal/output-mode.ts";
import { coordinatorView } from "../../view/coordinator-view.ts";
import { type RoleRun, type RunContext, runCommand } from "../run-command.ts";

/** `fanfold coordinator`, as commander reads it. */
export interface CoordinatorCommandOptions extends SharedOptions {
  readonly host: string;
  readonly port: number;
  readonly broker: string;
  readonly brokerPublicUrl?: string;
  readonly brokerCredentials?: Buffer;
  readonly brokerPublicCredentials?: Buffer;
  readonly brokerCa?: Buffer;
  readonly brokerCert?: Buffer;
  readonly brokerKey?: Buffer;
  readonly natsSeeds?: Buffer;
  readonly rabbitmqKey?: Buffer;
  readonly stateDir?: Buffer;
  readonly keepSessions: number;
  readonly keepDays?: number;
  readonly webhook?: string;
  readonly webhookSecretFile?: Buffer;
  readonly onEnd?: Buffer;
  readonly want?: readonly Want[];
  readonly allowHost?: readonly string[];
  readonly requireToken?: boolean;
  readonly insecureOpen?: boolean;
  readonly tlsCert?: Buffer;
  readonly tlsKey?: Buffer;
  readonly tlsClientCa?: Buffer;
}

/** With V8's own choice the views of many sinks made it grow to four times what it holds. */
const GROWTH_PERCENT = 100;

export async function coordinatorCommand(options: CoordinatorCommandOptions, io: ProgramIo): Promise<number> {
  keepYoungSmall();
  limitGrowth(GROWTH_PERCENT);
  const { parseBroker } = await import("../../../transport/broker-url.ts");
  parseBroker(options.broker);
  if (options.brokerPublicUrl !== undefined) parseBroker(options.brokerPublicUrl);
  return runCommand({
    view: coordinatorView,
    options,
    io,
    lasts: true,
    reloads: Object.keys(tlsFiles(options)).length > 0,
    start: (context) => openRun(options, io, context),
    // A coordinator ends by a signal or by an error. Anything else would be a defect of its own.
    statusOf: () => EXIT_STATUS.internal,
  });
}

async function openRun(
  options: CoordinatorCommandOptions,
  io: ProgramIo,
  context: RunContext,
): Promise<RoleRun<CoordinatorEvent, void>> {
  const own = await credentials(options.brokerCredentials, "--broker-credentials", context);
  const handedOut = await credentials(options.brokerPublicCredentials, "--broker-public-credentials", context);
  const secret = await credentials(options.webhookSecretFile, "--webhook-secret-file", context);
  const { openCoordinator } = await import("../../../coordinator/coordinator.ts");
  const { host, port, broker, requireToken = false, insecureOpen = false } = options;
  const coordinator = await openCoordinator({
    host,
    port,
    broker,
    requireToken,
    insecureOpen,
    keepSessions: options.keepSessions,
    ...(options.keepDays === undefined ? {} : { keepDays: options.keepDays }),
    ...noticeOptions(options, secret, io),
    ...tlsFiles(options),
    stateDir: options.stateDir ?? ((port) => defaultCoordinatorState(io.env, port)),
    signal: context.signal,
    ...(options.brokerPublicUrl === undefined ? {} : { brokerPublicUrl: options.brokerPublicUrl }),
    ...(own === undefined ? {} : { brokerCredentials: own }),
    ...(handedOut === undefined ? {} : { brokerPublicCredentials: handedOut }),
    ...(options.brokerCa === undefined ? {} : { brokerCaFile: options.brokerCa }),
    ...(options.brokerCert === undefined ? {} : { brokerCertFile: options.brokerCert }),
    ...(options.brokerKey === undefined ? {} : { brokerKeyFile: options.brokerKey }),
    ...(options.natsSeeds === undefined ? {} : { natsSeedsFile: options.natsSeeds }),
    ...(options.rabbitmqKey === undefined ? {} : { rabbitKeyFile: options.rabbitmqKey }),
    ...(options.allowHost === undefined ? {} : { allowHosts: options.allowHost }),
    ...(context.logger === undefined ? {} : { logger: context.logger }),
  });
  const tell = (): void => tellOfTokens(coordinator, showCommand(options, coordinator.port), context);
  const events = afterListening(coordinator.events(), tell);
  return { events, result: coordinator.closed, reload: () => coordinator.reload() };
}

/** The same events; `tell` is called behind the first lines of a coordinator that wants tokens. */
async function* afterListening(
  events: AsyncIterable<CoordinatorEvent>,
  tell: () => void,
): AsyncIterable<CoordinatorEvent> {
  for await (const event of events) {
    yield event;
    if (event.type === "listening" && event.access === "guarded") tell();
  }
}

/** How others come in. A token is shown to a person at a terminal alone: what is written elsewhere may be kept. */
function tellOfTokens({ firstTokens }: Coordinator, command: string, { copyable }: RunContext): void {
  const hint = `"${command}" prints the lines that join other machines`;
  const lines = [
    "join other machines by these lines; DIR is the directory to send, or the folder to fill:",
    ...firstTokens.map(pasteLine),
    `"${command}" prints them again`,
  ];
  copyable(firstTokens.length === 0 ? [hint] : lines, hint);
}

/** What prints the tokens of this coordinator. */
function showCommand({ stateDir }: CoordinatorCommandOptions, port: number): string {
  if (stateDir !== undefined) return `fanfold token show --state-dir ${shownPath(stateDir)}`;
  return port === PORT_DEFAULT ? "fanfold token show" : `fanfold token show --port ${port}`;
}

function noticeOptions(
  { webhook, onEnd, want }: CoordinatorCommandOptions,
  secret: string | undefined,
  { env }: ProgramIo,
): NoticeOptions {
  return {
    environment: { ...env },
    ...(webhook === undefined ? {} : { webhook }),
    ...(secret === undefined ? {} : { webhookSecret: secret }),
    ...(onEnd === undefined ? {} : { onEnd }),
    ...(want === undefined ? {} : { wants: want }),
  };
}

function tlsFiles({ tlsCert, tlsKey, tlsClientCa }: CoordinatorCommandOptions): TlsFiles {
  return {
    ...(tlsCert === undefined ? {} : { tlsCert }),
    ...(tlsKey === undefined ? {} : { tlsKey }),
    ...(tlsClientCa === undefined ? {} : { tlsClientCa }),
  };
}

async function credentials(
  path: Buffer | undefined,
  option: string,
  { warn }: RunContext,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const file = await readCredentialsFile(path, option);
  if (file.warning !== undefined) warn(file.warning);
  return file.credentials;
}
