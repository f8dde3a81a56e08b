import type { Deletion } from "../../protocol/messages/deletion.ts";
import { formatCount, plural } from "../../words/format.ts";
import { detail, type Message } from "./view.ts";

/** What became of what a source has not, in a few words; nothing when there was nothing. */
export function deletionText({ result, entries, of, allowed }: Deletion): string | undefined {
  const amount = plural(entries, "entry", "entries");
  switch (result) {
    case "done":
      return entries === 0 ? undefined : `${amount} deleted`;
    case "dry-run":
      return `${entries === 0 ? "nothing" : amount} would be deleted`;
    case "forbidden":
      return "nothing deleted: the sink has --no-delete";
    case "refused":
      return allowed === undefined
        ? "nothing deleted: the copy there is incomplete"
        : `nothing deleted: ${amount} of ${formatCount(of)} would be deleted, and the limit is ${formatCount(allowed)}`;
    default:
      return result satisfies never;
  }
}

/** The first entries by name. A refusal shows some to all, the rest is for those who asked for names. */
export function deletionMessages(name: string, { result, entries, allowed, examples }: Deletion): Message[] {
  if (examples.length === 0) return [];
  const more = entries - examples.length;
  const names = `${examples.join(", ")}${more > 0 ? `, and ${formatCount(more)} more` : ""}`;
  if (result === "refused" && allowed !== undefined) {
    const remedy = "check them, then raise --max-delete at the source, and at the sink if it has one";
    return [
      {
        level: "warning",
        text: `fanfold: sink ${name} deleted nothing, but these are not at the source: ${names}; ${remedy}`,
      },
    ];
  }
  return [detail(`sink ${name}: ${result === "done" ? "deleted" : "would be deleted"}: ${names}`)];
}
