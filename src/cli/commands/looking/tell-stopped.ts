import type { ProgramIo } from "../../process/program-io.ts";

/** Says from whom the answer is, where no coordinator gives it. */
export function tellStopped(runs: boolean, { stderr }: Pick<ProgramIo, "stderr">): void {
  if (!runs) stderr.write("The coordinator does not run: this is what its state knows.\n");
}
