import { defaultCoordinatorState } from "../../lib/folder/state-folder.ts";
import type { CoordinatorEvent } from "../../protocol/messages/events.ts";
import { readCredentialsFile } from "../options/credentials-file.ts";
import { EXIT_STATUS } from "../process/exit-status.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { SharedOptions } from "../terminal/output-mode.ts";
import { coordinatorView } from "../view/coordinator-view.ts";
import { type RoleRun, type RunContext, runCommand } from "./run-command.ts";

/** `fanfold coordinator`, as commander reads it. */
export interface CoordinatorCommandOptions extends SharedOptions {
  readonly host: string;
  readonly port: number;
  readonly broker: string;
  readonly brokerPublicUrl?: string;
  readonly brokerCredentials?: Buffer;
  readonly brokerPublicCredentials?: Buffer;
  readonly stateDir?: Buffer;
  readonly allowHost?: readonly string[];
}

export async function coordinatorCommand(options: CoordinatorCommandOptions, io: ProgramIo): Promise<number> {
  const { parseBroker } = await import("../../transport/broker-url.ts");
  parseBroker(options.broker);
  if (options.brokerPublicUrl !== undefined) parseBroker(options.brokerPublicUrl);
  return runCommand({
    view: coordinatorView,
    options,
    io,
    lasts: true,
    start: (context) => openRun(options, io, context),
    // A coordinator ends by a signal or by an error; anything else would be a defect of its own.
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
  const { openCoordinator } = await import("../../coordinator/coordinator.ts");
  const coordinator = await openCoordinator({
    host: options.host,
    port: options.port,
    broker: options.broker,
    stateDir: options.stateDir ?? ((port) => defaultCoordinatorState(io.env, port)),
    signal: context.signal,
    ...(options.brokerPublicUrl === undefined ? {} : { brokerPublicUrl: options.brokerPublicUrl }),
    ...(own === undefined ? {} : { brokerCredentials: own }),
    ...(handedOut === undefined ? {} : { brokerPublicCredentials: handedOut }),
    ...(options.allowHost === undefined ? {} : { allowHosts: options.allowHost }),
    ...(context.logger === undefined ? {} : { logger: context.logger }),
  });
  return { events: coordinator.events(), result: coordinator.closed };
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
