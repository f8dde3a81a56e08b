import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { FrameScope } from "../../../src/protocol/frame/frame.ts";
import type { Member } from "../../../src/protocol/messages/control.ts";
import { SEAL_SECRET_BYTES } from "../../../src/protocol/seal/seal-keys.ts";
import type { CopyTask } from "../../../src/sink/session/copy-parts.ts";
import { SinkSeal } from "../../../src/sink/session/sink-seal.ts";
import { SessionSeal } from "../../../src/source/session/session-seal.ts";
import { receiptOf } from "./receipts.ts";

const SEED_BYTES = 32;

/** Secret and keys of members who share this process, as they have them from a coordinator in a sealed session. */
export class SealLab {
  readonly #secret = Buffer.from(systemRandom.hex(SEAL_SECRET_BYTES), "hex");
  readonly #source = new SigningKey(systemRandom.hex(SEED_BYTES));
  readonly #sinks = new Map<string, SigningKey>();

  source(scope: FrameScope): SessionSeal {
    return new SessionSeal({ secret: this.#secret, scope, signer: this.#source });
  }

  /** Of a sink as one process: started again, it has the same key. */
  sink(scope: FrameScope, sinkId: string): SinkSeal {
    const [secret, signer] = [this.#secret, this.#keyOf(sinkId)];
    return new SinkSeal({ secret, scope, sinkId, source: this.#source.publicKey, signer, random: systemRandom });
  }

  /** As its source is told of it. */
  member(member: Omit<Member, "key">): Member {
    return { ...member, key: this.#keyOf(member.id).publicKey };
  }

  /** What the source takes as a proof of this sink alone. */
  signs({ id, name }: Member, { epoch }: FrameScope): Pick<CopyTask, "sign"> {
    return { sign: async (proven) => receiptOf({ ...proven, epoch, name }, this.#keyOf(id)) };
  }

  #keyOf(sinkId: string): SigningKey {
    const key = this.#sinks.get(sinkId) ?? new SigningKey(systemRandom.hex(SEED_BYTES));
    this.#sinks.set(sinkId, key);
    return key;
  }
}

/** Where a test says nothing else: `FANFOLD_TEST_ACCESS=guarded npm test` seals the same sessions. */
export function usualSeals(): SealLab | undefined {
  return process.env["FANFOLD_TEST_ACCESS"] === "guarded" ? new SealLab() : undefined;
}
