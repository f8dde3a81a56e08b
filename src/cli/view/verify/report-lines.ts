import { hasDamage, type VerifyReport } from "../../../protocol/messages/verification.ts";
import { formatCount } from "../../../words/format.ts";
import { olderText, reportText, wantedAgainText } from "../../../words/verify-words.ts";
import type { Style } from "../text/style.ts";
import { info, type Message, warning } from "../view.ts";

interface ReportLines {
  /** Before each line: whose report it is. */
  readonly who: string;
  /** Before the one line that says what came of it. */
  readonly did: string;
  readonly style: Style;
}

/** What came of it when a sink read its copy again: what is damaged, how much was read, and what the next copy does about it. */
export function reportMessages(report: VerifyReport, { who, did, style }: ReportLines): readonly Message[] {
  const text = `${who}${did}${reportText(report)}`;
  if (report.result !== "failed" && !hasDamage(report)) return [info(text)];
  const next = [wantedAgainText(report), olderText(report)];
  return [
    ...problemLines(report, style).map((line): Message => ({ level: "warning", text: `${who}${line}` })),
    warning(text),
    ...next.flatMap((each) => (each === undefined ? [] : [info(`${who}${each}`)])),
  ];
}

/** `content  2026-01-02T030405Z/a/b.txt`, one line for each entry that is listed, and how many are not. */
function problemLines({ problems, differing, missing }: VerifyReport, style: Style): readonly string[] {
  const rest = differing + missing - problems.length;
  return [
    ...problems.map(({ snapshot, path, kinds }) => {
      const where = snapshot === undefined ? path : `${snapshot}/${path}`;
      return `${style.bad(kinds.join(","))}  ${where}`;
    }),
    ...(rest > 0 ? [style.quiet(`${formatCount(rest)} not named here`)] : []),
  ];
}
