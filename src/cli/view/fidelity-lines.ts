import type { FidelityKind, FidelityReport } from "../../protocol/messages/fidelity.ts";
import { formatCount } from "../../words/format.ts";
import type { Style } from "./text/style.ts";
import type { Message } from "./view.ts";

const WORDS: Readonly<Record<FidelityKind, string>> = {
  owner: "owner or group not set",
  setuid: "set-user-id, set-group-id bits or capabilities left out",
  permissions: "permission bits not set",
  time: "modification times not exact",
  "time-fraction": "modification times without exact nanoseconds",
  attributes: "extended attributes not set",
  acl: "access control lists not set",
  fifo: "FIFOs not made",
  device: "devices not made",
  "hard-link": "hard links copied as separate files",
  sparse: "holes filled",
  "name-collision": "names that the folder's file system takes for the same",
};

/** What a sink could not carry exactly, one warning for each kind. `sink` names it where there are several. */
export function fidelityMessages(report: FidelityReport | undefined, style: Style, sink?: string): Message[] {
  const where = sink === undefined ? "" : `${sink}: `;
  return (report ?? []).map(({ what, count, examples }) => {
    const more = count > examples.length && examples.length > 0 ? ", …" : "";
    const shown = examples.length === 0 ? "" : ` (${examples.join(", ")}${more})`;
    return {
      level: "warning",
      text: style.careful(`fanfold: warning: ${where}${WORDS[what]}: ${formatCount(count)}${shown}`),
    };
  });
}
