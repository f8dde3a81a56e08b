import { spawnSync } from "node:child_process";

/** Prometheus' own tool, which reads metrics and rules as Prometheus does. */
export class Promtool {
  /** Undefined where it is not installed; CI has it. */
  static find(): Promtool | undefined {
    const isThere = spawnSync("promtool", ["--version"]).status === 0;
    if (!isThere && process.env["CI"] !== undefined) throw new Error("promtool is not there, and CI wants it");
    return isThere ? new Promtool() : undefined;
  }

  /** All that it finds wrong: nothing when all is well. */
  faults(args: readonly string[], input = ""): string {
    const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
    return status === 0 && stderr === "" ? "" : `${status}\n${stdout}\n${stderr}`;
  }
}

/** The samples of a text of metrics that promtool takes: by name and labels, as they stand there. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}
