import { isDeepStrictEqual } from "node:util";
import { FanfoldError } from "../../lib/errors.ts";
import type { EndMark } from "../../protocol/frame/marks.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { Member } from "../../protocol/messages/control.ts";
import { type Receipt, readReceipt } from "../../protocol/messages/receipt.ts";
import { outcomeOfProof } from "../../protocol/messages/whole-copy.ts";

interface ProofScope {
  readonly sessionId: string;
  readonly epoch: number;
  /** Public key of this source; undefined where it has come in without one. */
  readonly source: string | undefined;
  /** Who says it. */
  readonly sink: Pick<Member, "name" | "key">;
}

type Proof = Extract<UpMessage, { type: "proof" }>;

/** Why a proof is not one of the stream that ended so, or contradicts itself. Undefined when it is right [P-10.3]. */
export function proofFault(proof: Proof, end: EndMark | undefined, scope: ProofScope): string | undefined {
  const { digest, pages, problemCount, problems } = proof;
  if (end === undefined) return "It proved its copy before the source had ended";
  const wanted = Buffer.from(end.digest).toString("hex");
  if (digest !== wanted) return `The copy's digest is ${digest}, expected ${wanted}`;
  if (pages !== end.pages) return `It proved ${pages} pages, expected ${end.pages}`;
  if (problemCount < problems.length) return `It counts ${problemCount} problems and lists ${problems.length}`;
  return receiptFault(proof, scope);
}

/** A sink signs what it says, and nothing else, by the key with which it came in. */
function receiptFault(proof: Proof, { sessionId, epoch, source, sink }: ProofScope): string | undefined {
  try {
    const receipt = readReceipt(proof.receipt);
    const isSame = isDeepStrictEqual(verdictOfReceipt(receipt), verdictOfProof(proof));
    const isOfCopy = receipt.sessionId === sessionId && receipt.epoch === epoch;
    const isOurs = source === undefined || receipt.source === source;
    if (!isSame || !isOfCopy || !isOurs) return "Its receipt says something else than its proof";
    const isItsOwn = sink.key === undefined || (receipt.sink === sink.key && receipt.name === sink.name);
    return isItsOwn ? undefined : "Its receipt has the key or the name of another sink";
  } catch (thrown) {
    return FanfoldError.from(thrown).message;
  }
}

/** What a receipt says of the copy. */
function verdictOfReceipt(receipt: Receipt) {
  const { digest, outcome, filesDone, bytesDone, problemCount, takenAsUnchanged, deletion, durability } = receipt;
  return {
    ...{ digest, outcome, filesDone, bytesDone, problemCount, takenAsUnchanged, deletion },
    fidelity: { ...receipt.fidelity },
    isUnsynced: durability === "none",
  };
}

/** What the receipt of a proof has to say of the copy. */
function verdictOfProof(proof: Proof): ReturnType<typeof verdictOfReceipt> {
  const { digest, progress, problemCount, takenAsUnchanged, deletion, fidelity = [] } = proof;
  const { filesDone, bytesDone } = progress;
  return {
    ...{ digest, outcome: outcomeOfProof(proof), filesDone, bytesDone, problemCount, takenAsUnchanged },
    deletion: deletion && { result: deletion.result, entries: deletion.entries },
    fidelity: Object.fromEntries(fidelity.map(({ what, count }) => [what, count])),
    isUnsynced: proof.unsynced === true,
  };
}
