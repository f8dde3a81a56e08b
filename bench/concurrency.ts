/**
 * `npm run bench:concurrency`: where should a sink write? One stage of it, storing many small files, done by the event
 * loop, by fs/promises, by threads and by a child process, while a timer tells how long the event loop was held.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FILE_BYTES } from "./concurrency/batch.ts";
import type { VariantFigures } from "./concurrency/variant-program.ts";
import { linesOfCode, VARIANTS } from "./concurrency/variants.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, share, wholeNumber } from "./options.ts";
import { markdownTable, median, seconds } from "./report.ts";

const USAGE = "npm run bench:concurrency -- [--runs N] [--scale F] [--folder DIR]";
const FILES = 20_000;
const PROGRAM = new URL("./concurrency/variant-program.ts", import.meta.url).pathname;

function bench(base: string, { runs, files }: { readonly runs: number; readonly files: number }): void {
  print(["# Where to write small files", "", ...machineLines(describeMachine(base))].join("\n"));
  print(`- ${files} files of ${FILE_BYTES} bytes, ${runs} runs of each variant, in turn; medians\n`);
  const variants = Object.entries(VARIANTS).map(([name, variant]) => ({
    name,
    variant,
    figures: [] as VariantFigures[],
  }));
  for (let run = 0; run < runs; run += 1) {
    for (const { name, figures } of variants) {
      const folder = join(base, "run");
      mkdirSync(folder);
      const printed = execFileSync(process.execPath, [PROGRAM, name, folder, String(files)], { encoding: "utf8" });
      figures.push(JSON.parse(printed) as VariantFigures);
      rmSync(folder, { recursive: true });
    }
  }
  const rows = variants.map(({ variant, figures }) => {
    const middle = (field: keyof VariantFigures): number => median(figures.map((figure) => figure[field]));
    return [
      variant.title,
      seconds(middle("wallMs")),
      seconds(middle("cpuMs")),
      middle("heldMaxMs").toFixed(1),
      middle("heldP99Ms").toFixed(1),
      middle("openMs").toFixed(0),
      String(linesOfCode(variant)),
    ];
  });
  const head = [
    "variant",
    "wall, s",
    "CPU, s",
    "loop held, longest, ms",
    "loop held, p99, ms",
    "to start, ms",
    "lines of code",
  ];
  print(markdownTable(head, rows));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "5" },
      scale: { type: "string", default: "1" },
      folder: { type: "string", default: existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir() },
    },
  });
  if (process.platform !== "linux") throw new Error("the figures come from /proc, so this needs Linux");
  const runs = wholeNumber("--runs", values.runs, 100);
  const files = Math.max(1, Math.round(FILES * share("--scale", values.scale)));
  const base = mkdtempSync(join(values.folder, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  bench(base, { runs, files });
}

try {
  main();
} catch (thrown) {
  process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}\nusage: ${USAGE}\n`);
  process.exitCode = 2;
}
