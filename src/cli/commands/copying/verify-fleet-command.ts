import { FanfoldError } from "../../../lib/errors.ts";
import { atDesk, type GivenDesk } from "../../operator/at-desk.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { reportError } from "../../process/report-error.ts";
import { fleetVerifyView } from "../../view/verify/fleet-verify-view.ts";
import { runCommand } from "../run-command.ts";
import type { VerifyCommandOptions } from "./verify-command.ts";

/** `fanfold verify --fleet`, as commander reads it. */
export interface VerifyFleetOptions extends VerifyCommandOptions, GivenDesk {
  readonly fleet: string;
  readonly repair?: boolean;
  readonly json?: boolean;
}

interface VerifyFleetChoice {
  readonly options: VerifyFleetOptions;
  readonly namesCoordinator: boolean;
}

const STATUS = { equal: EXIT_STATUS.ok, differs: EXIT_STATUS.differs, incomplete: EXIT_STATUS.sinksLost } as const;

export async function verifyFleetCommand(choice: VerifyFleetChoice, io: ProgramIo): Promise<number> {
  const { options } = choice;
  const { fleet: session, bwlimit: limit, snapshot } = options;
  const fault = faultOf(options);
  if (fault !== undefined) {
    reportError(new FanfoldError("usage", fault), { io, verbose: false, json: options.json === true });
    return EXIT_STATUS.usage;
  }
  const order = {
    session,
    trees: snapshot === undefined ? ("newest" as const) : ("all" as const),
    ...(limit === undefined ? {} : { limit }),
  };
  let status: number = EXIT_STATUS.ok;
  const reached = await atDesk(choice, io, async (desk) => {
    status = await runCommand({
      view: fleetVerifyView,
      options,
      io,
      start: async ({ signal }) => {
        const { verifyFleet } = await import("./verify-fleet.ts");
        const run = verifyFleet({ desk, repairs: options.repair === true, order, clock: io.clock, signal });
        return { events: run.events(), result: run.result };
      },
      statusOf: ({ result, repair }) => (repair === "no-source" ? EXIT_STATUS.peerLost : STATUS[result]),
    });
  });
  return reached === EXIT_STATUS.ok ? status : reached;
}

function faultOf({ snapshot, strict }: VerifyFleetOptions): string | undefined {
  if (snapshot !== undefined && snapshot.trim().toLowerCase() !== "all")
    return `cannot use --snapshot ${JSON.stringify(snapshot.slice(0, 100))} with --fleet: sinks read their newest copies, or with "all" all snapshots`;
  if (strict === true) return "cannot use --strict with --fleet: extra entries of sinks are nobody's business here";
  return undefined;
}
