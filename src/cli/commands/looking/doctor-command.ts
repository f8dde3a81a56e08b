import { FanfoldError } from "../../../lib/errors.ts";
import { countsLine, FindingPrinter } from "../../doctor/doctor-lines.ts";
import { examine } from "../../doctor/examine.ts";
import type { BrokerTask, DoctorFinding } from "../../doctor/finding.ts";
import type { GivenBrokerFiles } from "../../options/broker-options.ts";
import { type GivenContact, readContact } from "../../options/contact-options.ts";
import { readCredentialsFile } from "../../options/credentials-file.ts";
import { catchEndingSignals } from "../../process/ending-signals.ts";
import { EXIT_STATUS, statusOfCode, statusOfSignal } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { reportError } from "../../process/report-error.ts";
import { forOutput } from "../../process/written-lines.ts";
import { resolveOutputMode } from "../../terminal/output-mode.ts";
import { createStyle, speaksUnicode } from "../../view/text/style.ts";

/** `fanfold doctor`, as commander reads it. */
export interface DoctorCommandOptions extends GivenContact, GivenBrokerFiles {
  readonly source?: Buffer;
  readonly sink?: Buffer;
  readonly broker?: string;
  readonly json?: boolean;
}

interface DoctorSurroundings {
  readonly namesCoordinator: boolean;
  readonly io: ProgramIo;
}

export async function doctorCommand(
  options: DoctorCommandOptions,
  { namesCoordinator, io }: DoctorSurroundings,
): Promise<number> {
  const { source, sink, json = false } = options;
  using signals = catchEndingSignals((signal) => process.exit(statusOfSignal(signal)));
  const style = createStyle({ colour: resolveOutputMode({}, io).colour, unicode: speaksUnicode(io.env) });
  const findings: DoctorFinding[] = [];
  const printer = new FindingPrinter(style);
  const print = (lines: readonly string[]): void => {
    if (!json) for (const line of lines) io.stdout.write(`${forOutput(line, io.stdout)}\n`);
  };
  try {
    const signal = signals.abort;
    const [contact, contactFailure] = await tryRead({ coordinator: options.coordinator }, () =>
      readContact(options, io, signal),
    );
    const [broker, brokerFailure] = await tryRead(undefined, () => brokerTask(options, io));
    const { env, clock } = io;
    const read = { contact, contactFailure, namesCoordinator, source, sink, broker, brokerFailure };
    for await (const finding of examine({ ...read, env, clock, signal })) {
      findings.push(finding);
      print(printer.add(finding));
    }
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json });
    return signals.received === undefined ? statusOfCode(error.code) : statusOfSignal(signals.received);
  }
  print([...printer.end(), "", countsLine(findings, style)]);
  if (json) io.stdout.write(`${JSON.stringify({ findings })}\n`);
  return findings.some(({ status }) => status === "error") ? EXIT_STATUS.unwell : EXIT_STATUS.ok;
}

/** What cannot be read is a finding, and no reason to look at nothing. */
async function tryRead<T>(
  otherwise: T,
  read: () => Promise<T>,
): Promise<readonly [value: T, failure: FanfoldError | undefined]> {
  try {
    return [await read(), undefined];
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    if (error.code === "interrupted") throw error;
    return [otherwise, error];
  }
}

/** How the coordinator would reach its broker. @throws FanfoldError `usage` */
async function brokerTask(options: DoctorCommandOptions, { clock }: ProgramIo): Promise<BrokerTask | undefined> {
  const { broker, brokerCredentials, brokerCa, brokerCert, brokerKey, natsSeeds, rabbitmqKey } = options;
  if (broker === undefined) return undefined;
  const { ownTarget, resolveBroker } = await import("../../../coordinator/broker/broker-setup.ts");
  const { readBrokerFiles } = await import("../../../coordinator/broker/broker-files.ts");
  const { systemRandom } = await import("../../../lib/random.ts");
  const own =
    brokerCredentials === undefined ? undefined : await readCredentialsFile(brokerCredentials, "--broker-credentials");
  const files = {
    ...(brokerCa === undefined ? {} : { brokerCaFile: brokerCa }),
    ...(brokerCert === undefined ? {} : { brokerCertFile: brokerCert }),
    ...(brokerKey === undefined ? {} : { brokerKeyFile: brokerKey }),
    ...(natsSeeds === undefined ? {} : { natsSeedsFile: natsSeeds }),
    ...(rabbitmqKey === undefined ? {} : { rabbitKeyFile: rabbitmqKey }),
  };
  const setup = resolveBroker({
    broker,
    ...(own === undefined ? {} : { brokerCredentials: own.credentials }),
    ...readBrokerFiles(files, { broker, random: systemRandom }),
  });
  if (setup.kind === "embedded") return { kind: "embedded" };
  const target = ownTarget(setup, () => clock.date());
  if (target.kind === "embedded") return { kind: "embedded" };
  return { kind: "remote", target };
}
