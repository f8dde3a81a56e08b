import { type DoctorFinding, type DoctorTask, Look } from "./finding.ts";

const ANSWER_WITHIN_MS = 20_000;

/** The broker, as the coordinator uses it. */
export async function checkBroker({
  broker,
  brokerFailure,
  clock,
  signal,
}: DoctorTask): Promise<readonly DoctorFinding[]> {
  const look = new Look("broker", "a broker that answers, and takes the credentials");
  if (brokerFailure !== undefined) return [look.failed(brokerFailure, "name the broker as the coordinator has it")];
  if (broker === undefined)
    return [look.skipped("no --broker was given", "name it on the coordinator's machine, as the coordinator has it")];
  if (broker.kind === "embedded")
    return [look.skipped("the coordinator itself carries the data: there is no other broker")];
  const { target } = broker;
  const options = { look, clock, signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]) };
  try {
    return target.kind === "nats"
      ? await (await import("./look-at-nats.ts")).lookAtNats(target, options)
      : await (await import("./look-at-rabbitmq.ts")).lookAtRabbitmq(target, options);
  } catch (thrown) {
    signal.throwIfAborted();
    return [options.signal.aborted ? look.error("no answer in time", BROKER_ADVICE) : look.failed(thrown)];
  }
}

const BROKER_ADVICE = "check that the broker runs there, and that no firewall is between";
