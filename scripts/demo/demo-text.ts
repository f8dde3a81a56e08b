import { basename } from "node:path";
import type { Environment } from "../../src/cli/process/program-io.ts";
import { createStyle, speaksUnicode } from "../../src/cli/view/text/style.ts";
import { formatBytes, formatElapsed, formatRate, plural } from "../../src/words/format.ts";
import type { DemoEvent } from "./demo-process.ts";

const env: Environment = process.env;
const colour = process.stdout.isTTY && (env.NO_COLOR ?? "") === "";
export const style = createStyle({ colour, unicode: speaksUnicode(env) });

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** `  name       value` */
export function item(name: string, value: string): void {
  say(`  ${style.quiet(name.padEnd(12))} ${value}`);
}

export function heading(text: string): void {
  say();
  say(style.strong(text));
}

/** What was done, from the coordinator's own record of the session. */
export function sayResult(summary: NonNullable<DemoEvent["summary"]>): void {
  const { files, bytes, elapsedMs, digest, sinks } = summary;
  item(
    "copied",
    `${plural(files, "file")}, ${formatBytes(bytes)}, to ${plural(sinks.length, "sink")} in ${formatElapsed(elapsedMs)}`,
  );
  const each = (bytes * 1000) / Math.max(1, elapsedMs);
  item("rate", `${formatRate(each)} to each sink, ${formatRate(each * sinks.length)} in all`);
  if (digest !== undefined) item("digest", digest);
}

/** The three commands that do the same without the demo. */
export function sayByHand(folder: string, options: { readonly broker: string; readonly sinks: number }): void {
  const broker = options.broker === "embedded" ? "" : ` --broker ${options.broker}`;
  heading("The same by hand, each in a terminal of its own");
  say(`  npx fanfold coordinator${broker}`);
  say(
    `  npx fanfold sink /tmp/copy-1${options.sinks > 1 ? `     ${style.quiet(`# and so on: ${options.sinks} of them, on any machine`)}` : ""}`,
  );
  say(`  npx fanfold source --dest-count ${options.sinks} ${shellWord(folder)}`);
  say(style.quiet("  # with more machines: coordinator --host 0.0.0.0; it prints what to paste on the others"));
}

/** The default folder reads better by its name. */
export function shellWord(path: string): string {
  const shown = path === `${process.cwd()}/${basename(path)}` ? basename(path) : path;
  return /^[\w./@%+=:,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
