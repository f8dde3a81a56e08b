import { FanfoldError } from "../../lib/errors.ts";
import { defaultCoordinatorState } from "../../lib/folder/state-folder.ts";
import { PORT_DEFAULT } from "../../protocol/coordinator-port.ts";
import { type GivenContact, readContact } from "../options/contact-options.ts";
import { EXIT_STATUS, statusOfCode } from "../process/exit-status.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { reportError } from "../process/report-error.ts";
import type { OperatorDesk } from "./operator-desk.ts";

/** Where the desk is, as commander reads it. */
export interface GivenDesk extends GivenContact {
  readonly stateDir?: Buffer;
  readonly port?: number;
  readonly json?: boolean;
}

/** The same, and whether `--coordinator` was typed: its default, and that of the environment, are no choice of a desk. */
export interface DeskChoice {
  readonly options: GivenDesk;
  readonly namesCoordinator: boolean;
  /** Nothing is changed: a coordinator that asks nobody for a token needs none. */
  readonly looks?: boolean;
}

/** Does something at the desk; gives the exit status of the command. */
export async function atDesk(
  choice: DeskChoice,
  io: ProgramIo,
  work: (desk: OperatorDesk) => Promise<void>,
): Promise<number> {
  try {
    await reach(choice, io, work);
    return EXIT_STATUS.ok;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json: choice.options.json === true });
    return statusOfCode(error.code);
  }
}

async function reach(
  { options, namesCoordinator, looks = false }: DeskChoice,
  io: ProgramIo,
  work: (desk: OperatorDesk) => Promise<void>,
): Promise<void> {
  const { stateDir, port } = options;
  const namesState = stateDir !== undefined || port !== undefined;
  if (namesState && namesCoordinator)
    throw new FanfoldError(
      "usage",
      "cannot use --coordinator together with --state-dir or --port: one asks a coordinator by a token, the others find one on this machine; leave out one of them",
    );
  const { signal } = new AbortController();
  const contact = await readContact(options, io, signal);
  const { token } = contact;
  if (!namesState && (token !== undefined || (looks && namesCoordinator))) {
    const { askedContact, trustFor } = await import("../../member/contact.ts");
    const { remoteDesk } = await import("./remote-desk.ts");
    const { typed, ...asked } = askedContact(contact);
    const trust = trustFor(typed, { ...asked, remembered: undefined });
    await work(remoteDesk({ address: { host: typed.host, port: typed.port, trust }, token }));
    return;
  }
  if (namesCoordinator)
    throw new FanfoldError(
      "token-missing",
      `cannot ask the coordinator at ${options.coordinator}: found no token; set FANFOLD_TOKEN or --token-file to a token for an admin, or leave out --coordinator on the coordinator's own machine`,
    );
  const { atLocalDesk } = await import("./local-desk.ts");
  const folder = stateDir ?? defaultCoordinatorState(io.env, port ?? PORT_DEFAULT);
  await atLocalDesk({ stateDir: folder, client: contact.clientCertificate, io, signal }, work);
}
