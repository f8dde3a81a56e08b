import { FRAME_BYTES_MIN } from "../../protocol/limits.ts";
import { openNats } from "../../transport/nats/open-nats.ts";
import type { NatsTarget } from "../../transport/target.ts";
import { formatBytes } from "../../words/format.ts";
import { type BrokerLook, type DoctorFinding, Look } from "./finding.ts";

/** Up to this size fewer and larger frames cost less. */
const PAYLOAD_WANTED_BYTES = 512 * 1024;
/** The oldest that the tests run with. */
const VERSION_MIN = [2, 9] as const;

/** @throws FanfoldError as `openNats` does */
export async function lookAtNats(
  target: NatsTarget,
  { look, clock, signal }: BrokerLook,
): Promise<readonly DoctorFinding[]> {
  const { connection } = await openNats(target, { clientName: "fanfold doctor", clock, signal });
  try {
    const { info } = connection;
    const { version = "", max_payload: payloadBytes = 0 } = info ?? {};
    return [
      look.ok(`NATS server ${version} at ${connection.getServer()}`),
      versionFinding(version),
      payloadFinding(payloadBytes),
    ];
  } finally {
    await connection.close();
  }
}

function versionFinding(version: string): DoctorFinding {
  const look = new Look("broker-version", `NATS server ${VERSION_MIN.join(".")} or newer`);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1]);
  return isNew ? look.ok(version) : look.warning(version, "update the NATS server");
}

function payloadFinding(bytes: number): DoctorFinding {
  const look = new Look("broker-payload", `a max_payload of ${formatBytes(PAYLOAD_WANTED_BYTES)} or more`);
  const found = `max_payload is ${formatBytes(bytes)}`;
  const todo = "raise max_payload in the configuration of the NATS server";
  if (bytes < FRAME_BYTES_MIN)
    return look.error(`${found}, and no copy works below ${formatBytes(FRAME_BYTES_MIN)}`, todo);
  return bytes < PAYLOAD_WANTED_BYTES
    ? look.warning(`${found}: copies work, and cost more time of processors`, todo)
    : look.ok(found);
}
