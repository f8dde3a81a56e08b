import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { redactUrl } from "../../src/transport/broker-url.ts";
import { type PartReport, readReport } from "./findings.ts";
import type { Part, PartOptions } from "./parts.ts";

/** What the programs put around the reason why they ended. */
const PROGRAM_OR_ADVICE = /^bench[\w:-]*: |; try "npm run .*"$/g;
const BENCH = new URL("../", import.meta.url).pathname;

/** For people: without the passwords of brokers. */
export function commandOf({ program, args }: Part, { nats, amqp, ...options }: PartOptions): string {
  const shown = args({ ...options, nats: redactUrl(nats), amqp: redactUrl(amqp) });
  return `npm run bench${program === "copy" ? "" : `:${program}`} -- ${shown.join(" ")}`;
}

/**
 * Runs a program of the bench. What it prints goes to standard error. Where some of its runs failed, the others count. Where
 * it wrote nothing, its last words say why.
 */
export async function runPart(part: Part, options: PartOptions, scratch: string): Promise<PartReport> {
  const out = join(scratch, `${part.name}.json`);
  const args = [join(BENCH, `${part.program}.ts`), ...part.args(options), "--out", out];
  const child = spawn(process.execPath, args, { stdio: ["ignore", 2, "pipe"] });
  const status = await endOf(child);
  return existsSync(out) ? readReport(readFileSync(out, "utf8")) : { missing: status };
}

async function endOf(child: ChildProcess): Promise<string> {
  const stop = (): void => void child.kill("SIGTERM");
  process.on("exit", stop);
  try {
    let last = "it said nothing";
    if (child.stderr !== null)
      createInterface({ input: child.stderr }).on("line", (line) => {
        process.stderr.write(`${line}\n`);
        if (line !== "") last = line.replace(PROGRAM_OR_ADVICE, "").replaceAll("|", "/");
      });
    await new Promise((resolve) => {
      child.on("close", resolve);
      child.on("error", resolve);
    });
    return last;
  } finally {
    process.off("exit", stop);
  }
}
