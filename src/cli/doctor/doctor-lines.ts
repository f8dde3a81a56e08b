import type { Style } from "../view/text/style.ts";
import type { DoctorFinding, FindingStatus } from "./finding.ts";

const STATUS_COLUMNS = 8;
const CHECK_COLUMNS = 14;
const INSET = " ".repeat(STATUS_COLUMNS);

/** Findings as people read them, in lines as they come. Those that are skipped for one reason are one line. */
export class FindingPrinter {
  readonly #style: Style;
  #skipped: { readonly checks: string[]; readonly why: string } | undefined;

  constructor(style: Style) {
    this.#style = style;
  }

  add(finding: DoctorFinding): readonly string[] {
    const { status, check, found } = finding;
    if (status === "skipped" && found === this.#skipped?.why) {
      this.#skipped.checks.push(check);
      return [];
    }
    const before = this.end();
    if (status !== "skipped") return [...before, ...findingLines(finding, this.#style)];
    this.#skipped = { checks: [check], why: found };
    return before;
  }

  /** What has not been said yet. */
  end(): readonly string[] {
    const skipped = this.#skipped;
    this.#skipped = undefined;
    if (skipped === undefined) return [];
    const { checks, why } = skipped;
    return [this.#style.quiet(headOf("skipped", checks.join(", "), why))];
  }
}

/** What is well in one line; else also what was wanted, and what to do. */
function findingLines({ status, check, found, wanted, todo }: DoctorFinding, style: Style): readonly string[] {
  const head = headOf(status, check, found).replace(status, paint(status, style));
  return status === "ok" ? [head] : [head, `${INSET}wanted: ${wanted}`, `${INSET}to do: ${todo}`];
}

function headOf(status: FindingStatus, checks: string, found: string): string {
  const name = checks.length <= CHECK_COLUMNS ? `${checks.padEnd(CHECK_COLUMNS)} ` : `${checks}:`;
  return `${status.padEnd(STATUS_COLUMNS)}${name} ${found}`;
}

function paint(status: FindingStatus, style: Style): string {
  switch (status) {
    case "ok":
      return style.good(status);
    case "warning":
      return style.careful(status);
    case "error":
      return style.bad(status);
    case "skipped":
      return status;
    default:
      return status satisfies never;
  }
}

/** `2 errors, 1 warning, 20 ok, 3 skipped` */
export function countsLine(findings: readonly DoctorFinding[], style: Style): string {
  const count = (status: FindingStatus): number => findings.filter((finding) => finding.status === status).length;
  const [errors, warnings] = [count("error"), count("warning")];
  const words = [
    errors === 0 ? "no error" : style.bad(`${errors} error${errors === 1 ? "" : "s"}`),
    ...(warnings === 0 ? [] : [style.careful(`${warnings} warning${warnings === 1 ? "" : "s"}`)]),
    `${count("ok")} ok`,
    `${count("skipped")} skipped`,
  ];
  return words.join(", ");
}
