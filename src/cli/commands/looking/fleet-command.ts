import { atDesk, type DeskChoice, type GivenDesk } from "../../operator/at-desk.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { fleetTable } from "../../view/records/fleet-table.ts";
import { tellStopped } from "./tell-stopped.ts";

/** As commander reads them. */
export type FleetOptions = GivenDesk;

/** `fanfold fleet` */
export function listFleet(choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async ({ records, runs }) => {
    const sinks = await records.sinks();
    if (choice.options.json === true) {
      io.stdout.write(`${JSON.stringify({ runs, sinks })}\n`);
      return;
    }
    tellStopped(runs, io);
    if (sinks.length === 0) io.stderr.write("No sink is known yet.\n");
    else for (const line of fleetTable(sinks)) io.stdout.write(`${line}\n`);
  });
}
