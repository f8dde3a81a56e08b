import type { AgeKey } from "../../lib/crypto/age.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import type { Start, Welcome } from "../../member/inbox.ts";
import type { FrameScope } from "../../protocol/frame/frame.ts";
import type { Seal } from "../../protocol/messages/control.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import { RECIPIENTS_MAX, recipientsOf, unwrapSecret } from "../../protocol/seal/wrapped-secret.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import { SinkSeal } from "./sink-seal.ts";

interface SealingSink {
  readonly welcome: Pick<Welcome, "member">;
  readonly folder: Pick<SinkFolder, "key">;
  readonly random: Pick<Random, "hex">;
  readonly ageKeys: readonly AgeKey[];
}

/**
 * Opens and seals what a sink hears and says in a copy; undefined when it is not sealed.
 *
 * @throws FanfoldError `not-recipient`, or `damaged` for a secret that the source has not wrapped
 */
export async function openSeal(
  { seal, source: { name }, sourceIdentity: source }: Start,
  scope: FrameScope,
  { welcome, folder, random, ageKeys }: SealingSink,
): Promise<SinkSeal | undefined> {
  const secret = await sealSecret(seal, { from: name, scope, source, keys: ageKeys });
  if (secret === undefined) return undefined;
  return new SinkSeal({ secret, scope, sinkId: welcome.member.id, source, signer: folder.key, random });
}

/** What people are told of it. */
export function sealFields(
  seal: Seal | undefined,
): Pick<Extract<SinkEvent, { type: "started" }>, "sealed" | "recipients"> {
  if (seal === undefined) return {};
  return seal.by === "coordinator" ? { sealed: true } : { sealed: true, recipients: recipientsOf(seal) };
}

interface SealTaking {
  /** Name of the source. */
  readonly from: string;
  readonly scope: FrameScope;
  /** The source's public key. */
  readonly source: string;
  /** This sink's age keys. With any, only a copy that is encrypted for one of them is taken. */
  readonly keys: readonly AgeKey[];
}

/**
 * The secret of a session; undefined when it is not sealed.
 *
 * @throws FanfoldError `not-recipient`, or `damaged`
 */
async function sealSecret(seal: Seal | undefined, taking: SealTaking): Promise<Uint8Array | undefined> {
  const { from, scope, source, keys } = taking;
  const shown = `cannot take the copy of "${from}"`;
  const ours = keys.map(({ recipient }) => recipient).join(", ");
  if (seal?.by !== "recipients") {
    if (keys.length > 0)
      throw new FanfoldError(
        "not-recipient",
        `${shown}: it is not encrypted for the key of this sink, ${ours}; add --recipient with that key at the source, or leave out --age-key here`,
      );
    return seal === undefined ? undefined : Buffer.from(seal.secret, "base64url");
  }
  const count = recipientsOf(seal);
  const counted = count === 1 ? "1 age key" : `${count} age keys`;
  if (keys.length === 0)
    throw new FanfoldError(
      "not-recipient",
      `${shown}: it is encrypted for ${counted}, and this sink has none; "fanfold keygen" makes one: give it with --age-key here, and name it with --recipient at the source`,
    );
  const secret = await unwrapSecret(seal, { scope, source, keys });
  switch (secret) {
    case "not-recipient":
      throw new FanfoldError(
        "not-recipient",
        `${shown}: it is encrypted for ${counted}, and that of this sink, ${ours}, is not among them; add it with --recipient at the source`,
      );
    case "too-many":
      throw new FanfoldError("damaged", `${shown}: found ${count} recipients, want at most ${RECIPIENTS_MAX}`);
    case "forged":
      throw new FanfoldError(
        "damaged",
        `${shown}: its source did not sign the secret that came with it; somebody between them has changed it`,
      );
    default:
      return secret;
  }
}
