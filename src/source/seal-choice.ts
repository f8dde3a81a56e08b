import type { SigningKey } from "../lib/crypto/signing-key.ts";
import { FanfoldError } from "../lib/errors.ts";
import { isLoopbackHost } from "../lib/net/host-port.ts";
import type { Random } from "../lib/random.ts";
import type { Welcome } from "../member/inbox.ts";
import type { Seal } from "../protocol/messages/control.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { SEAL_SECRET_BYTES } from "../protocol/seal/seal-keys.ts";
import type { SealMode } from "../protocol/seal/seal-mode.ts";
import { wrapSecret } from "../protocol/seal/wrapped-secret.ts";
import { SOURCE_DEFAULTS } from "./source-defaults.ts";

interface SealWish {
  readonly mode: SealMode | undefined;
  /** Where the coordinator was reached. */
  readonly host: string;
  /** Public age keys; none: the coordinator passes the secret on. */
  readonly recipients: readonly string[];
  readonly signer: SigningKey;
  readonly random: Pick<Random, "hex">;
  readonly emit: (event: SourceEvent) => void;
}

/** How a session is sealed. */
interface ChosenSeal {
  readonly secret: Uint8Array;
  /** What the sinks are told. */
  readonly told: Seal;
  /** What people are told. */
  readonly shown: Pick<Extract<SourceEvent, { type: "started" }>, "sealed" | "recipients">;
}

/**
 * How the session of a welcome is sealed; undefined when it is not. Its secret is drawn anew for each welcome. So no key is
 * used twice, whatever number of an epoch the coordinator gives.
 *
 * @throws FanfoldError `usage`
 */
export async function chooseSeal(
  { sealing, sessionId, epoch }: Pick<Welcome, "sealing" | "sessionId" | "epoch">,
  { mode, host, recipients, signer, random, emit }: SealWish,
): Promise<ChosenSeal | undefined> {
  const secret = Buffer.from(random.hex(SEAL_SECRET_BYTES), "hex");
  if (recipients.length > 0) {
    const wrapped = await wrapSecret({ secret, recipients, scope: { sessionId, epoch }, signer });
    return { secret, told: { by: "recipients", ...wrapped }, shown: { sealed: true, recipients: recipients.length } };
  }
  // From elsewhere nobody can know that all is on one machine: a coordinator that says so is not believed.
  const needs = sealing === "free" && !isLoopbackHost(host) ? "wanted" : sealing;
  if (!isSealed(mode, needs, emit)) return undefined;
  return { secret, told: { by: "coordinator", secret: secret.toString("base64url") }, shown: { sealed: true } };
}

/**
 * Whether a session is sealed: as the user says, or where its frames may leave the machine.
 *
 * @param sealing what the coordinator says of that
 * @throws FanfoldError `usage` for `off` where whoever has the broker's password would read everything
 */
function isSealed(
  mode: SealMode = SOURCE_DEFAULTS.seal,
  sealing: Welcome["sealing"],
  emit: (event: SourceEvent) => void,
): boolean {
  if (mode !== "off") return mode === "on" || sealing !== "free";
  if (sealing === "needed") {
    throw new FanfoldError(
      "usage",
      "cannot send with --seal off: the broker is beyond this machine, and all members share its password, so each of them could read and forge everything; leave --seal out",
    );
  }
  if (sealing === "wanted") {
    const message = "With --seal off the broker, and the relay, can read what is sent, and could forge it";
    emit({ type: "warning", code: "seal-off", message });
  }
  return false;
}
