import type { EndMark } from "../../protocol/frame/marks.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";

/** Why a proof is not one of the stream that ended so, or contradicts itself; undefined when it is right [P-10.3]. */
export function proofFault(
  { digest, pages, problemCount, problems }: Extract<UpMessage, { type: "proof" }>,
  end: EndMark | undefined,
): string | undefined {
  if (end === undefined) return "It proved its copy before the source had ended";
  const wanted = Buffer.from(end.digest).toString("hex");
  if (digest !== wanted) return `The copy's digest is ${digest}, expected ${wanted}`;
  if (pages !== end.pages) return `It proved ${pages} pages, expected ${end.pages}`;
  return problemCount < problems.length ? `It counts ${problemCount} problems and lists ${problems.length}` : undefined;
}
