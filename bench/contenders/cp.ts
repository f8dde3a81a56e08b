import { join } from "node:path";
import type { Contender, Entrant, Job } from "./contender.ts";
import { Program, versionOf } from "./program.ts";

/** The floor: every copy made by a process of its own, without any network. */
export const cp: Contender = {
  name: "cp -a",
  async run({ source, copies, scratch, again, signal }: Job, meter) {
    meter.start();
    await using started = new AsyncDisposableStack();
    const programs = copies.map((copy, index) => {
      const args = [again ? "-au" : "-a", "--", `${source}/.`, `${copy}/`];
      const program = started.use(Program.start("cp", args, join(scratch, `cp-${index}.log`)));
      meter.watch("cp", program.pid);
      return program;
    });
    await Promise.all(programs.map((program) => program.succeeded(signal)));
    return await meter.stop();
  },
};

export function enterCp(): Entrant {
  const version = versionOf("cp");
  return version === undefined ? { name: cp.name, missing: "not installed" } : { contender: cp, version };
}
