import type { DoctorFinding, FindingStatus } from "../../../src/cli/doctor/finding.ts";
import type { CliLab, StartOptions } from "../../helpers/processes/cli.ts";

/** What `fanfold doctor` found. */
export interface Examined {
  readonly status: number;
  readonly findings: readonly DoctorFinding[];
  /** The one finding of a check. */
  of(check: string): DoctorFinding;
  /** Checks that ended like this. */
  named(status: FindingStatus): readonly string[];
}

/** Runs the command to its end. */
export async function examined(lab: CliLab, args: readonly string[], options: StartOptions = {}): Promise<Examined> {
  const doctor = lab.start(["doctor", "--json", ...args], { ...options, plain: true });
  const status = await doctor.exit();
  if (status !== 0 && status !== 36) throw new Error(`Wanted findings:\n${doctor.shown()}`);
  const { findings } = JSON.parse(doctor.stdout) as { findings: readonly DoctorFinding[] };
  return {
    status,
    findings,
    of(check) {
      const [found, ...others] = findings.filter((finding) => finding.check === check);
      if (found === undefined || others.length > 0) throw new Error(`Wanted one finding "${check}": ${doctor.stdout}`);
      return found;
    },
    named: (wanted) => findings.filter((finding) => finding.status === wanted).map(({ check }) => check),
  };
}
