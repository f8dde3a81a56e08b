import type { DeleteLimit, DeletionWithheld } from "../../protocol/messages/deletion.ts";
import { encodeScope } from "../../protocol/names/scope.ts";

/** What is known of a tree when every page of it has its trailer. */
interface TreeState {
  /** With the root. */
  readonly entries: number;
  /** Entries that could not be read, or vanished, or changed. */
  readonly problems: number;
}

/** What the sinks are told of the deletion: the table that asks for it, or nothing, for a reason. Pure. */
export function deletionMark(limit: DeleteLimit, { entries, problems }: TreeState): Buffer | DeletionWithheld {
  if (problems > 0) {
    const message =
      "no sink deletes anything: the source could not read everything, and files that it did not see would be deleted";
    return { code: "source-incomplete", message };
  }
  if (entries <= 1) {
    const message = "no sink deletes anything: the source's directory is empty, or its filters leave out everything";
    return { code: "source-empty", message };
  }
  return encodeScope({ kind: "delete", limit });
}
